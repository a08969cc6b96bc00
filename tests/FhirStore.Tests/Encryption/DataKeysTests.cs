using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Encryption;

/// <summary>How data keys come and go, seen through the cipher.</summary>
public sealed class DataKeysTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly byte[] Json = "{\"resourceType\":\"Patient\"}"u8.ToArray();

    private readonly InMemoryRecordStore _store = new();
    private readonly TestVault _vault = new();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Seal_SeveralRecordsOfANewSubjectInOneCommit_MakesOneKey()
    {
        using var keys = await OpenAsync();
        var writes = new List<RecordWrite>();
        var first = await SealAsync(keys, "Patient/a", "a", writes);
        var second = await SealAsync(keys, "Appointment/x", "a", writes);
        var other = await SealAsync(keys, "Patient/b", "b", writes);
        Assert.Equal(2, writes.Count);
        Assert.All(writes, w => Assert.Equal((0L, 1L, false), (w.Expected, w.Record.Version, w.Journal)));
        await CommitAsync(writes);
        await AssertOpensAsync(keys, "Patient/a", first);
        await AssertOpensAsync(keys, "Appointment/x", second);
        await AssertOpensAsync(keys, "Patient/b", other);
    }

    [Fact]
    public async Task Seal_ForAKnownSubject_MakesNoKey()
    {
        using var keys = await OpenAsync();
        await NewSubjectAsync(keys, "a");
        var writes = new List<RecordWrite>();
        await SealAsync(keys, "Patient/a", "a", writes);
        await SealAsync(keys, "Patient/a", "a", writes);
        using var elsewhere = await OpenAsync();
        await SealAsync(elsewhere, "Patient/a", "a", writes);
        Assert.Empty(writes);
    }

    [Fact]
    public async Task Seal_ByTwoProcessesForOneNewSubject_TheLoserSealsAgainUnderTheWinnersKey()
    {
        using var one = await OpenAsync();
        using var two = await OpenAsync();
        List<RecordWrite> ofOne = [], ofTwo = [];
        var bodyOfOne = await SealAsync(one, "Patient/a", "a", ofOne);
        await SealAsync(two, "Appointment/x", "a", ofTwo);
        await CommitAsync(ofOne);
        var lost = Assert.IsType<CommitResult.VersionConflict>(await _store.CommitAsync(Commit.Of([.. ofTwo]), default));
        Assert.Equal("_DataKey", lost.Key.Type);

        ofTwo.Clear();
        var bodyOfTwo = await SealAsync(two, "Appointment/x", "a", ofTwo);
        Assert.Empty(ofTwo);
        await AssertOpensAsync(one, "Appointment/x", bodyOfTwo);
        await AssertOpensAsync(two, "Patient/a", bodyOfOne);
    }

    [Fact]
    public async Task Seal_AfterACommitThatFailed_MakesTheKeyAgain()
    {
        using var keys = await OpenAsync();
        await SealAsync(keys, "Patient/a", "a", []); // its commit never happens
        var writes = new List<RecordWrite>();
        var body = await SealAsync(keys, "Patient/a", "a", writes);
        Assert.Single(writes);
        await CommitAsync(writes);
        using var elsewhere = await OpenAsync();
        await AssertOpensAsync(elsewhere, "Patient/a", body);
    }

    [Fact]
    public async Task Seal_ManyWritersForOneNewSubject_AllBodiesCanBeOpened()
    {
        using var keys = await OpenAsync();
        var bodies = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            for (; ; )
            {
                var writes = new List<RecordWrite>();
                var body = await SealAsync(keys, $"Appointment/x{i}", "a", writes);
                if (writes.Count == 0 || await _store.CommitAsync(Commit.Of([.. writes]), default) is CommitResult.Done)
                {
                    return body;
                }
            }
        })));
        using var elsewhere = await OpenAsync();
        for (var i = 0; i < bodies.Length; i++)
        {
            await AssertOpensAsync(elsewhere, $"Appointment/x{i}", bodies[i]);
        }
    }

    [Fact]
    public async Task VaultAway_KeysAtHandServe_ThenUnavailable_NeverPlain()
    {
        using var keys = await OpenAsync();
        var body = await NewSubjectAsync(keys, "a");
        await AssertOpensAsync(keys, "Patient/a", body);
        _vault.Away = true;
        await AssertOpensAsync(keys, "Patient/a", body);
        Assert.Equal(-1, (await SealAsync(keys, "Patient/a", "a", [])).Span.IndexOf("Patient"u8));

        _clock.Advance(TimeSpan.FromMinutes(5));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AssertOpensAsync(keys, "Patient/a", body));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => SealAsync(keys, "Patient/a", "a", []));
        List<RecordWrite> writes = [];
        await Assert.ThrowsAsync<StoreUnavailableException>(() => SealAsync(keys, "Patient/new", "new", writes));
        Assert.Empty(writes);

        _vault.Away = false;
        await AssertOpensAsync(keys, "Patient/a", body);
    }

    [Fact]
    public async Task VaultIsAskedOnceInALifetime_NotForEachSubject()
    {
        using var keys = await OpenAsync();
        var before = _vault.Unwraps;
        for (var i = 0; i < 20; i++)
        {
            await NewSubjectAsync(keys, $"s{i}");
        }
        Assert.Equal(before, _vault.Unwraps);
    }

    [Fact]
    public async Task Open_AfterTheSubjectsKeyIsErased_IsRefusedAndANewKeyDiffersFromTheOld()
    {
        using var keys = await OpenAsync();
        var writes = new List<RecordWrite>();
        var old = await SealAsync(keys, "Patient/a", "a", writes);
        await CommitAsync(writes);
        var row = writes[0].Record;
        await CommitAsync([new(row with { Version = 2, Deleted = true, Body = default }, 1, false, "erase")]);

        using var later = await OpenAsync();
        await Assert.ThrowsAsync<StoreCorruptException>(() => AssertOpensAsync(later, "Patient/a", old));
        writes.Clear();
        var fresh = await SealAsync(later, "Patient/a", "a", writes);
        Assert.Equal((2L, 3L), (Assert.Single(writes).Expected, writes[0].Record.Version));
        await CommitAsync(writes);
        await AssertOpensAsync(later, "Patient/a", fresh);
        await Assert.ThrowsAsync<StoreCorruptException>(() => AssertOpensAsync(later, "Patient/a", old));
    }

    [Fact]
    public async Task Open_WithTheKeyRowOfAnotherSubject_IsRefused()
    {
        using var keys = await OpenAsync();
        List<RecordWrite> a = [], b = [];
        var bodyOfA = await SealAsync(keys, "Patient/a", "a", a);
        await SealAsync(keys, "Patient/b", "b", b);
        await CommitAsync([a[0] with { Record = a[0].Record with { Body = b[0].Record.Body } }]);
        await Assert.ThrowsAsync<StoreCorruptException>(() => AssertOpensAsync(keys, "Patient/a", bodyOfA));
    }

    private ValueTask<StoreKeys> OpenAsync() => StoreKeys.OpenAsync(_store, _vault, _clock, default);

    private async Task<ReadOnlyMemory<byte>> NewSubjectAsync(StoreKeys keys, string subject)
    {
        var writes = new List<RecordWrite>();
        var body = await SealAsync(keys, $"Patient/{subject}", subject, writes);
        await CommitAsync(writes);
        return body;
    }

    private async Task CommitAsync(List<RecordWrite> writes) =>
        Assert.IsType<CommitResult.Done>(await _store.CommitAsync(Commit.Of([.. writes]), default));

    private static async Task<ReadOnlyMemory<byte>> SealAsync(StoreKeys keys, string reference, string? subject, List<RecordWrite> writes) =>
        await keys.Cipher.SealAsync(KeyOf(reference), 1, At, subject, Json, writes, default);

    private static async Task AssertOpensAsync(StoreKeys keys, string reference, ReadOnlyMemory<byte> body)
    {
        var record = new StoredRecord { Key = KeyOf(reference), Version = 1, LastUpdated = At, Partition = "p", Body = body };
        Assert.Equal(Json, (await keys.Cipher.OpenAsync(record, default)).ToArray());
    }

    private static ResourceKey KeyOf(string reference) => ResourceKey.TryParse(reference, out var key) ? key : throw new ArgumentException(reference);
}
