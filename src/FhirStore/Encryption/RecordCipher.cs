using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>Seals bodies before they reach an engine and opens them after. Every body is bound to its identity and version.</summary>
/// <remarks>
/// A sealed body: format (1 byte), key epoch (2, big-endian), key id (16), in format 2 the digest of the index entries (16), then
/// <see cref="MessageCipher"/> over a <see cref="BodyFrame"/>. Bound to it: those 19 or 35 bytes, version, lastUpdated to the
/// millisecond, tenant, type and id.
/// </remarks>
public sealed class RecordCipher
{
    private const byte WithoutIndex = 1;
    private const byte WithIndex = 2;
    private const int KeyIdAt = 3;
    private const int HeaderSize = KeyIdAt + DataKeyId.Size;
    private const int LongestPart = byte.MaxValue;
    private const int LongestBinding = HeaderSize + IndexDigest.Size + 16 + (3 * (1 + LongestPart));

    private readonly DataKeys _keys;
    private readonly byte[] _tenant;

    internal RecordCipher(DataKeys keys, string tenant)
    {
        _keys = keys;
        _tenant = Encoding.UTF8.GetBytes(tenant);
    }

    /// <summary>Seals the body of a record without index entries, or one that may lose its own.</summary>
    /// <param name="subject">Opaque id of the patient whose data this is; null for the tenant's own data.</param>
    /// <param name="keyWrites">
    /// Receives the record of a data key made for a new subject; it must go into the same commit. When the commit ends in a
    /// version conflict (another writer made the key first), seal again with an emptied collection.
    /// </param>
    /// <exception cref="StoreUnavailableException">The key vault is away and the key is not at hand.</exception>
    public ValueTask<ReadOnlyMemory<byte>> SealAsync(
        ResourceKey key, long version, DateTimeOffset lastUpdated, string? subject, ReadOnlyMemory<byte> plain, ICollection<RecordWrite> keyWrites, CancellationToken ct) =>
        SealAsync(key, version, lastUpdated, subject, null, plain, keyWrites, ct);

    /// <inheritdoc cref="SealAsync(ResourceKey, long, DateTimeOffset, string?, ReadOnlyMemory{byte}, ICollection{RecordWrite}, CancellationToken)"/>
    /// <param name="index">
    /// The record's index entries: where the body is opened with other ones, it is refused, so that entries changed or moved on the
    /// engine cannot make a search answer with a record that does not match.
    /// </param>
    public ValueTask<ReadOnlyMemory<byte>> SealAsync(
        ResourceKey key, long version, DateTimeOffset lastUpdated, string? subject, IndexEntries? index, ReadOnlyMemory<byte> plain, ICollection<RecordWrite> keyWrites,
        CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(keyWrites);
        var id = _keys.IdOf(subject);
        Span<byte> dataKey = stackalloc byte[MessageCipher.KeySize];
        if (!_keys.TryCopyCached(id, 0, dataKey, out var epoch))
        {
            return SealUncachedAsync(key, version, lastUpdated, id, index, plain, keyWrites, ct);
        }
        try
        {
            return new(Seal(key, version, lastUpdated, id, index, epoch, dataKey, plain.Span));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    /// <exception cref="StoreCorruptException">The body was altered, or belongs to another record or version.</exception>
    /// <exception cref="StoreUnavailableException">The key vault is away and the key is not at hand.</exception>
    public ValueTask<ReadOnlyMemory<byte>> OpenAsync(StoredRecord record, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(record);
        var body = record.Body.Span;
        if (record.Deleted && body.IsEmpty)
        {
            return default;
        }
        if (record.Deleted || !LooksSealed(body))
        {
            throw Corrupt(record);
        }
        CheckIndex(record); // the digest itself is authenticated when the body is opened
        var epoch = BinaryPrimitives.ReadUInt16BigEndian(body[1..]);
        var id = DataKeyId.Read(body.Slice(KeyIdAt, DataKeyId.Size));
        Span<byte> dataKey = stackalloc byte[MessageCipher.KeySize];
        if (epoch == 0 || !_keys.TryCopyCached(id, epoch, dataKey, out _))
        {
            return OpenUncachedAsync(record, id, epoch, ct);
        }
        try
        {
            return new(Open(record, dataKey));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    /// <summary>Compares the index entries of a record with what its body says of them. Versions in history come without entries.</summary>
    /// <exception cref="StoreCorruptException">They are other ones.</exception>
    internal static void CheckIndex(StoredRecord record)
    {
        var body = record.Body.Span;
        if (body[0] == WithIndex && !record.Index.Block.IsEmpty && !IndexDigest.Matches(record, body.Slice(HeaderSize, IndexDigest.Size)))
        {
            throw new StoreCorruptException($"The index entries of {record.Key}, version {record.Version}, are not those it was written with.")
            {
                Summary = $"{record.Key.Type}: index entries changed",
            };
        }
    }

    /// <summary>Whether a body begins as one made by <see cref="SealAsync"/>: some of the server's own records hold plain marks.</summary>
    internal static bool LooksSealed(ReadOnlySpan<byte> body) =>
        body.Length >= HeaderSize + MessageCipher.Overhead && body[0] is WithoutIndex or WithIndex && body.Length >= LengthOfHeader(body) + MessageCipher.Overhead;

    private static int LengthOfHeader(ReadOnlySpan<byte> body) => body[0] == WithIndex ? HeaderSize + IndexDigest.Size : HeaderSize;

    private async ValueTask<ReadOnlyMemory<byte>> SealUncachedAsync(
        ResourceKey key, long version, DateTimeOffset lastUpdated, DataKeyId id, IndexEntries? index, ReadOnlyMemory<byte> plain, ICollection<RecordWrite> keyWrites,
        CancellationToken ct)
    {
        var (epoch, dataKey) = await _keys.LoadOrCreateAsync(id, keyWrites, ct);
        try
        {
            return Seal(key, version, lastUpdated, id, index, epoch, dataKey, plain.Span);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> OpenUncachedAsync(StoredRecord record, DataKeyId id, int epoch, CancellationToken ct)
    {
        var dataKey = await _keys.LoadAsync(id, epoch, ct) ?? throw Corrupt(record);
        try
        {
            return Open(record, dataKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    private byte[] Seal(
        ResourceKey key, long version, DateTimeOffset lastUpdated, DataKeyId id, IndexEntries? index, int epoch, ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> plain)
    {
        var length = BodyFrame.Write(plain, out var rented);
        try
        {
            var header = index is null ? HeaderSize : HeaderSize + IndexDigest.Size;
            var body = GC.AllocateUninitializedArray<byte>(header + MessageCipher.Overhead + length);
            body[0] = index is null ? WithoutIndex : WithIndex;
            if (index is { } entries)
            {
                IndexDigest.Compute(entries, body.AsSpan(HeaderSize, IndexDigest.Size));
            }
            BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(1), checked((ushort)epoch));
            id.Write(body.AsSpan(KeyIdAt));
            Span<byte> binding = stackalloc byte[LongestBinding];
            binding = binding[..WriteBinding(body, key, version, lastUpdated, binding)];
            MessageCipher.Encrypt(dataKey, rented.AsSpan(0, length), binding, body.AsSpan(header));
            return body;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private byte[] Open(StoredRecord record, ReadOnlySpan<byte> dataKey)
    {
        var body = record.Body.Span;
        var header = LengthOfHeader(body);
        var length = body.Length - header - MessageCipher.Overhead;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Span<byte> binding = stackalloc byte[LongestBinding];
            binding = binding[..WriteBinding(body, record.Key, record.Version, record.LastUpdated, binding)];
            MessageCipher.Decrypt(dataKey, body[header..], binding, rented.AsSpan(0, length));
            return BodyFrame.Read(rented.AsSpan(0, length));
        }
        catch (CryptographicException e)
        {
            throw Corrupt(record, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private int WriteBinding(ReadOnlySpan<byte> body, ResourceKey key, long version, DateTimeOffset lastUpdated, Span<byte> binding)
    {
        var header = LengthOfHeader(body);
        body[..header].CopyTo(binding);
        BinaryPrimitives.WriteInt64BigEndian(binding[header..], version);
        BinaryPrimitives.WriteInt64BigEndian(binding[(header + 8)..], lastUpdated.UtcTicks / TimeSpan.TicksPerMillisecond);
        var at = header + 16;
        binding[at++] = (byte)_tenant.Length;
        _tenant.CopyTo(binding[at..]);
        at += _tenant.Length;
        at += WritePart(key.Type, binding[at..]);
        at += WritePart(key.Id, binding[at..]);
        return at;
    }

    // The length before each part keeps (type "A", id "BC") apart from (type "AB", id "C").
    private static int WritePart(string part, Span<byte> destination)
    {
        var length = Encoding.UTF8.GetBytes(part, destination[1..(1 + LongestPart)]);
        destination[0] = (byte)length;
        return 1 + length;
    }

    private static StoreCorruptException Corrupt(StoredRecord record, Exception? inner = null) =>
        new($"The stored body of {record.Key}, version {record.Version}, cannot be opened: it was altered, belongs elsewhere, or its key is gone.", inner) { Summary = $"{record.Key.Type}: body cannot be opened" };
}
