using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using K4os.Compression.LZ4;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Encryption;

public sealed class RecordCipherTests
{
    private const int HeaderAndMessage = 19 + 60; // format, epoch, key id; salt, nonce, tag
    private static readonly ResourceKey Key = new("Patient", "p1");
    private static readonly DateTimeOffset At = new(2026, 3, 29, 1, 30, 0, 123, TimeSpan.Zero);
    private static readonly byte[] Json = Encoding.UTF8.GetBytes($$"""{"resourceType":"Patient","name":[{"family":"Sommerfeld{{new string('x', 300)}}"}]}""");

    private readonly InMemoryRecordStore _store = new();
    private readonly TestVault _vault = new();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Open_OfAnyBodyThatWasSealed_GivesItBack()
    {
        using var keys = await OpenAsync();
        await SealAndCommitAsync(keys, Json, "p1");
        Gen.Select(Gen.OneOf(Gen.Byte.Array[0, 3000], Gen.Byte[1, 3].Array[0, 3000], Gen.Const(new byte[70_000])), Gen.Long[1, long.MaxValue], Gen.DateTimeOffset)
            .Sample((plain, version, at) =>
            {
                var body = Now(keys.Cipher.SealAsync(Key, version, at, "p1", plain, [], default));
                Assert.Equal(plain, Now(keys.Cipher.OpenAsync(Record(body) with { Version = version, LastUpdated = at }, default)).ToArray());
            });
    }

    [Fact]
    public async Task Open_AfterRestart_GivesTheBodyBack()
    {
        ReadOnlyMemory<byte> ofPatient, ofTenant;
        using (var keys = await OpenAsync())
        {
            ofPatient = await SealAndCommitAsync(keys, Json, "p1");
            ofTenant = await SealAndCommitAsync(keys, Json, null);
        }
        using var later = await OpenAsync();
        Assert.Equal(Json, (await later.Cipher.OpenAsync(Record(ofPatient), default)).ToArray());
        Assert.Equal(Json, (await later.Cipher.OpenAsync(Record(ofTenant), default)).ToArray());
    }

    [Fact]
    public async Task Open_WithIndexEntriesOfAnother_IsRefused()
    {
        using var keys = await OpenAsync();
        await SealAndCommitAsync(keys, Json, "p1");
        var own = A.Entries((A.Name, "one"), (A.Born, "1970"));
        var body = await keys.Cipher.SealAsync(Key, 1, At, "p1", own, Json, [], default);
        var record = Record(body) with { Version = 1, LastUpdated = At };
        foreach (var index in (IndexEntries[])[own, IndexEntries.None, WithTime(own, At)]) // as given, as in history, as the store keeps it
        {
            Assert.Equal(Json, (await keys.Cipher.OpenAsync(record with { Index = index }, default)).ToArray());
        }
        foreach (var index in (IndexEntries[])[A.Entries((A.Name, "one")), A.Entries((A.Name, "two"), (A.Born, "1970")), WithTime(own, At.AddHours(1))])
        {
            await Assert.ThrowsAsync<StoreCorruptException>(() => keys.Cipher.OpenAsync(record with { Index = index }, default).AsTask());
        }

        static IndexEntries WithTime(IndexEntries entries, DateTimeOffset at)
        {
            var builder = new IndexEntries.Builder();
            builder.Add(IndexField.LastUpdated, SortableTime.Encode(at));
            foreach (var entry in entries)
            {
                builder.Add(entry.Field, entry.Value.Span);
            }
            return builder.Build();
        }
    }

    [Fact]
    public async Task Open_WithAnyBitFlippedAnywhere_IsRefusedNamingOnlyTheRecord()
    {
        using var keys = await OpenAsync();
        var body = (await SealAndCommitAsync(keys, Json, "p1")).ToArray();
        for (var bit = 0; bit < body.Length * 8; bit++)
        {
            body[bit / 8] ^= (byte)(1 << (bit % 8));
            var refused = await Assert.ThrowsAsync<StoreCorruptException>(async () => await keys.Cipher.OpenAsync(Record(body), default));
            Assert.Contains("Patient/p1, version 1,", refused.Message, StringComparison.Ordinal);
            body[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Assert.Equal(Json, (await keys.Cipher.OpenAsync(Record(body), default)).ToArray());
    }

    [Fact]
    public async Task Open_OfAnyShortenedOrLengthenedBody_IsRefused()
    {
        using var keys = await OpenAsync();
        var body = (await SealAndCommitAsync(keys, Json, "p1")).ToArray();
        for (var length = 0; length < body.Length; length++)
        {
            await Assert.ThrowsAsync<StoreCorruptException>(async () => await keys.Cipher.OpenAsync(Record(body.AsMemory(0, length)), default));
        }
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await keys.Cipher.OpenAsync(Record((byte[])[.. body, 0]), default));
    }

    [Fact]
    public async Task Open_OfABodyMovedToAnotherPlace_IsRefused()
    {
        using var keys = await OpenAsync();
        var body = await SealAndCommitAsync(keys, Json, "p1");
        var record = Record(body);
        StoredRecord[] elsewhere =
        [
            record with { Key = new("Patient", "p2") },
            record with { Key = new("Person", "p1") },
            record with { Key = new("Patientp", "1") },
            record with { Version = 2 },
            record with { LastUpdated = At.AddMilliseconds(1) },
            record with { Deleted = true },
        ];
        foreach (var moved in elsewhere)
        {
            await Assert.ThrowsAsync<StoreCorruptException>(async () => await keys.Cipher.OpenAsync(moved, default));
        }
    }

    [Fact]
    public async Task Open_OfRowsOfOneSubjectSwapped_IsRefused()
    {
        using var keys = await OpenAsync();
        await SealAndCommitAsync(keys, Json, "p1");
        var first = await keys.Cipher.SealAsync(Key, 1, At, "p1", Json, [], default);
        var second = await keys.Cipher.SealAsync(Key, 2, At, "p1", Json, [], default);
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await keys.Cipher.OpenAsync(Record(second), default));
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await keys.Cipher.OpenAsync(Record(first) with { Version = 2 }, default));
    }

    [Fact]
    public async Task Open_WhereTheEngineKeepsLessThanATick_StillWorks()
    {
        using var keys = await OpenAsync();
        await SealAndCommitAsync(keys, Json, "p1");
        var body = await keys.Cipher.SealAsync(Key, 1, At.AddTicks(9_999), "p1", Json, [], default);
        Assert.Equal(Json, (await keys.Cipher.OpenAsync(Record(body), default)).ToArray());
    }

    [Fact]
    public async Task Open_OfATombstone_IsEmpty()
    {
        using var keys = await OpenAsync();
        Assert.True((await keys.Cipher.OpenAsync(Record(default) with { Deleted = true }, default)).IsEmpty);
    }

    [Fact]
    public async Task Seal_OfAnyBody_HasASizeThatTellsOnlyItsClass()
    {
        using var keys = await OpenAsync();
        await SealAndCommitAsync(keys, Json, "p1");
        Gen.Int[0, 3000].Sample(length =>
        {
            var plain = RandomNumberGenerator.GetBytes(length); // cannot be packed, so its class is known
            var body = Now(keys.Cipher.SealAsync(Key, 1, At, "p1", plain, [], default));
            Assert.Equal(HeaderAndMessage + ((length + 8 + 255) / 256 * 256), body.Length);
        });
    }

    [Fact]
    public async Task Seal_HundredThousandTimes_NeverRepeatsSaltOrNonce()
    {
        using var keys = await OpenAsync();
        await SealAndCommitAsync(keys, Json, "p1");
        var salts = new ConcurrentDictionary<UInt128, bool>();
        var nonces = new ConcurrentDictionary<UInt128, bool>();
        Parallel.For(0, 4, _ =>
        {
            for (var i = 0; i < 25_000; i++)
            {
                var body = Now(keys.Cipher.SealAsync(Key, 1, At, "p1", default, [], default)).Span;
                Assert.True(salts.TryAdd(BinaryPrimitives.ReadUInt128BigEndian(body[19..]), true));
                Assert.True(nonces.TryAdd(BinaryPrimitives.ReadUInt128BigEndian(body[47..63]) & ((UInt128.One << 96) - 1), true));
            }
        });
    }

    [Fact]
    public async Task Seal_NothingOfTheBodyOrTheSubjectIsReadable()
    {
        using var keys = await OpenAsync();
        var writes = new List<RecordWrite>();
        var body = await keys.Cipher.SealAsync(Key, 1, At, "MRN-0815-4711", Json, writes, default);
        Assert.Equal(-1, body.Span.IndexOf("Sommer"u8));
        Assert.Equal(-1, body.Span.IndexOf("0815"u8));
        var row = Assert.Single(writes).Record;
        Assert.Equal(-1, row.Body.Span.IndexOf("0815"u8));
        Assert.DoesNotContain("0815", row.Key.Id + row.Partition, StringComparison.Ordinal);
        Assert.Equal("_DataKey", row.Key.Type);
    }

    [Fact]
    public async Task Seal_FollowsTheWrittenFormat_FromRootKeyToJson() // computed here without the code under test
    {
        using var keys = await OpenAsync();
        var writes = new List<RecordWrite>();
        var body = (await keys.Cipher.SealAsync(new("Patient", "p1"), 7, At, "p1", Json, writes, default)).ToArray();

        var tenantRow = (await _store.GetAsync(new("_Key", "tenant"), default))!.Body.ToArray();
        Assert.Equal([1, 0, 1, 0, 9, .. "test-root"u8, 0, 60], tenantRow[..16]);
        var tenantKey = await _vault.UnwrapAsync(tenantRow.AsMemory(16), "fhir key|default|_Key/tenant|1"u8.ToArray(), default);

        var keyId = Convert.ToHexStringLower(body[3..19]);
        var dataKeyRow = Assert.Single(writes).Record;
        Assert.Equal(new("_DataKey", keyId), dataKeyRow.Key);
        Assert.Equal([1, 0, 1, 0, 1, (byte)'1', 0, 61, 1], dataKeyRow.Body[..9].ToArray());
        var dataKey = Decrypt(tenantKey, dataKeyRow.Body.Span[9..], Encoding.UTF8.GetBytes($"fhir key|default|_DataKey/{keyId}|1"));

        Assert.Equal([1, 0, 1], body[..3]);
        var messageKey = HKDF.Expand(HashAlgorithmName.SHA256, dataKey, 32, [.. "fhir message key"u8, .. body[19..51]]);
        byte[] bound = [.. body[..19], .. BigEndian(7), .. BigEndian(At.UtcTicks / 10_000), 7, .. "default"u8, 7, .. "Patient"u8, 2, .. "p1"u8];
        var frame = Decrypt(messageKey, body.AsSpan(51), bound);
        var (length, packed) = (BinaryPrimitives.ReadInt32BigEndian(frame), BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4)));
        var json = new byte[length];
        Assert.Equal(length, LZ4Codec.Decode(frame.AsSpan(8, packed), json));
        Assert.Equal(Json, json);
        Assert.True(packed < length);
        Assert.Equal(0, frame.Length % 256);
        Assert.All(frame[(8 + packed)..], b => Assert.Equal(0, b));
    }

    private static byte[] BigEndian(long number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Decrypt(byte[] key, ReadOnlySpan<byte> nonceAndText, byte[] bound)
    {
        var plain = new byte[nonceAndText.Length - 28];
        using var gcm = new AesGcm(key, 16);
        gcm.Decrypt(nonceAndText[..12], nonceAndText[12..^16], nonceAndText[^16..], plain, bound);
        return plain;
    }

    private ValueTask<StoreKeys> OpenAsync() => StoreKeys.OpenAsync(_store, _vault, _clock, default);

    private async Task<ReadOnlyMemory<byte>> SealAndCommitAsync(StoreKeys keys, byte[] plain, string? subject)
    {
        var writes = new List<RecordWrite>();
        var body = await keys.Cipher.SealAsync(Key, 1, At, subject, plain, writes, default);
        Assert.IsType<CommitResult.Done>(await _store.CommitAsync(Commit.Of([.. writes]), default));
        await keys.Cipher.SealAsync(Key, 1, At, subject, plain, [], default); // from here on the key is at hand
        return body;
    }

    private static StoredRecord Record(ReadOnlyMemory<byte> body) =>
        new() { Key = Key, Version = 1, LastUpdated = At, Partition = "p1", Body = body };

    private static T Now<T>(ValueTask<T> task)
    {
        Assert.True(task.IsCompletedSuccessfully, "A key at hand must not cost a wait.");
        return task.Result;
    }
}
