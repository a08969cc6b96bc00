using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>Seals bodies before they reach an engine and opens them after. Every body is bound to its identity and version.</summary>
/// <remarks>
/// A sealed body: format (1 byte), key epoch (2, big-endian), key id (16), then <see cref="MessageCipher"/> over a
/// <see cref="BodyFrame"/>. Bound to it: those 19 bytes, version, lastUpdated to the millisecond, tenant, type and id.
/// </remarks>
public sealed class RecordCipher
{
    private const byte Format = 1;
    private const int KeyIdAt = 3;
    private const int HeaderSize = KeyIdAt + DataKeyId.Size;
    private const int LongestPart = byte.MaxValue;
    private const int LongestBinding = HeaderSize + 16 + (3 * (1 + LongestPart));

    private readonly DataKeys _keys;
    private readonly byte[] _tenant;

    internal RecordCipher(DataKeys keys, string tenant)
    {
        _keys = keys;
        _tenant = Encoding.UTF8.GetBytes(tenant);
    }

    /// <param name="subject">Opaque id of the patient whose data this is; null for the tenant's own data.</param>
    /// <param name="keyWrites">
    /// Receives the record of a data key made for a new subject; it must go into the same commit. When the commit ends in a
    /// version conflict (another writer made the key first), seal again with an emptied collection.
    /// </param>
    /// <exception cref="StoreUnavailableException">The key vault is away and the key is not at hand.</exception>
    public ValueTask<ReadOnlyMemory<byte>> SealAsync(
        ResourceKey key, long version, DateTimeOffset lastUpdated, string? subject, ReadOnlyMemory<byte> plain, ICollection<RecordWrite> keyWrites, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(keyWrites);
        var id = _keys.IdOf(subject);
        Span<byte> dataKey = stackalloc byte[MessageCipher.KeySize];
        if (!_keys.TryCopyCached(id, 0, dataKey, out var epoch))
        {
            return SealUncachedAsync(key, version, lastUpdated, id, plain, keyWrites, ct);
        }
        try
        {
            return new(Seal(key, version, lastUpdated, id, epoch, dataKey, plain.Span));
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
        if (record.Deleted || body.Length < HeaderSize + MessageCipher.Overhead || body[0] != Format)
        {
            throw Corrupt(record);
        }
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

    private async ValueTask<ReadOnlyMemory<byte>> SealUncachedAsync(
        ResourceKey key, long version, DateTimeOffset lastUpdated, DataKeyId id, ReadOnlyMemory<byte> plain, ICollection<RecordWrite> keyWrites, CancellationToken ct)
    {
        var (epoch, dataKey) = await _keys.LoadOrCreateAsync(id, keyWrites, ct);
        try
        {
            return Seal(key, version, lastUpdated, id, epoch, dataKey, plain.Span);
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
        ResourceKey key, long version, DateTimeOffset lastUpdated, DataKeyId id, int epoch, ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> plain)
    {
        var length = BodyFrame.Write(plain, out var rented);
        try
        {
            var body = GC.AllocateUninitializedArray<byte>(HeaderSize + MessageCipher.Overhead + length);
            body[0] = Format;
            BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(1), checked((ushort)epoch));
            id.Write(body.AsSpan(KeyIdAt));
            Span<byte> binding = stackalloc byte[LongestBinding];
            binding = binding[..WriteBinding(body, key, version, lastUpdated, binding)];
            MessageCipher.Encrypt(dataKey, rented.AsSpan(0, length), binding, body.AsSpan(HeaderSize));
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
        var length = body.Length - HeaderSize - MessageCipher.Overhead;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Span<byte> binding = stackalloc byte[LongestBinding];
            binding = binding[..WriteBinding(body, record.Key, record.Version, record.LastUpdated, binding)];
            MessageCipher.Decrypt(dataKey, body[HeaderSize..], binding, rented.AsSpan(0, length));
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
        body[..HeaderSize].CopyTo(binding);
        BinaryPrimitives.WriteInt64BigEndian(binding[HeaderSize..], version);
        BinaryPrimitives.WriteInt64BigEndian(binding[(HeaderSize + 8)..], lastUpdated.UtcTicks / TimeSpan.TicksPerMillisecond);
        var at = HeaderSize + 16;
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
        new($"The stored body of {record.Key}, version {record.Version}, cannot be opened: it was altered, belongs elsewhere, or its key is gone.", inner);
}
