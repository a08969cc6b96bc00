using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>One epoch of a key as it is stored.</summary>
/// <param name="Epoch">From 1; the highest is the current one, earlier ones are kept while something needs them.</param>
/// <param name="WrappedBy">Names the wrapping key: the vault's key id, or the epoch of the tenant's key.</param>
internal sealed record WrappedKey(int Epoch, string WrappedBy, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// The records that hold wrapped keys. One record holds all epochs of one key, so that removing the record ends the key.
/// Body: format (1 byte), then for each epoch: epoch (2, big-endian), length and UTF-8 name of the wrapping key (2 + n), length and wrapped key (2 + n).
/// </summary>
internal static class KeyRecords
{
    public const string KeyType = "_Key";
    public const string DataKeyType = "_DataKey";

    private const byte Format = 1;

    /// <summary>The tenant's key, wrapped by the vault.</summary>
    public static readonly ResourceKey TenantKey = new(KeyType, "tenant");

    /// <summary>Root of the index tokens.</summary>
    public static readonly ResourceKey IndexRoot = new(KeyType, "index-root");

    /// <summary>Secret that turns subjects into ids of data keys.</summary>
    public static readonly ResourceKey SubjectNames = new(KeyType, "subject-names");

    /// <summary>Seals what leaves the server and comes back.</summary>
    public static readonly ResourceKey Protector = new(KeyType, "protector");

    /// <summary>Bound to a wrapped key: it cannot be moved to another record, epoch or tenant.</summary>
    public static byte[] Context(string tenant, ResourceKey key, int epoch) => Encoding.UTF8.GetBytes($"fhir key|{tenant}|{key}|{epoch}");

    /// <param name="expected">0, or the version of the tombstone that an erasure left.</param>
    public static RecordWrite Create(ResourceKey key, long expected, WrappedKey wrapped, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        var record = new StoredRecord
        {
            Key = key,
            Version = expected + 1,
            LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)),
            Partition = key.Id,
            Body = Write([wrapped]),
        };
        return new(record, expected, Journal: false, Cause: "key");
    }

    /// <returns>Oldest epoch first, at least one.</returns>
    /// <exception cref="StoreCorruptException">The body is not of this form.</exception>
    public static ImmutableArray<WrappedKey> Read(StoredRecord record)
    {
        var body = record.Body;
        var keys = ImmutableArray.CreateBuilder<WrappedKey>(1);
        if (body.Length > 0 && body.Span[0] == Format)
        {
            body = body[1..];
            while (TryRead(ref body, out var key))
            {
                keys.Add(key);
            }
        }
        return keys.Count > 0 && body.IsEmpty ? keys.DrainToImmutable() : throw Damaged(record.Key);
    }

    public static StoreCorruptException Damaged(ResourceKey key, Exception? inner = null) =>
        new($"The key record {key} is damaged.", inner);

    private static byte[] Write(ReadOnlySpan<WrappedKey> keys)
    {
        var body = new ArrayBufferWriter<byte>(128);
        body.Write([Format]);
        foreach (var key in keys)
        {
            WriteNumber(body, key.Epoch);
            WriteField(body, Encoding.UTF8.GetBytes(key.WrappedBy));
            WriteField(body, key.Bytes.Span);
        }
        return body.WrittenSpan.ToArray();
    }

    private static void WriteField(ArrayBufferWriter<byte> body, ReadOnlySpan<byte> field)
    {
        WriteNumber(body, field.Length);
        body.Write(field);
    }

    private static void WriteNumber(ArrayBufferWriter<byte> body, int number)
    {
        BinaryPrimitives.WriteUInt16BigEndian(body.GetSpan(2), checked((ushort)number));
        body.Advance(2);
    }

    private static bool TryRead(ref ReadOnlyMemory<byte> body, [NotNullWhen(true)] out WrappedKey? key)
    {
        var rest = body;
        key = null;
        if (!TryReadNumber(ref rest, out var epoch) || !TryReadField(ref rest, out var wrappedBy) || !TryReadField(ref rest, out var bytes))
        {
            return false;
        }
        key = new(epoch, Encoding.UTF8.GetString(wrappedBy.Span), bytes);
        body = rest;
        return true;
    }

    private static bool TryReadField(ref ReadOnlyMemory<byte> rest, out ReadOnlyMemory<byte> field)
    {
        field = default;
        if (!TryReadNumber(ref rest, out var length) || rest.Length < length)
        {
            return false;
        }
        field = rest[..length];
        rest = rest[length..];
        return true;
    }

    private static bool TryReadNumber(ref ReadOnlyMemory<byte> rest, out int number)
    {
        number = 0;
        if (rest.Length < 2)
        {
            return false;
        }
        number = BinaryPrimitives.ReadUInt16BigEndian(rest.Span);
        rest = rest[2..];
        return true;
    }
}
