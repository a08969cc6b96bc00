using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FhirCore;

namespace FhirStore.Encryption;

/// <summary>Names the data key of one subject without naming the subject: a keyed hash, because patient ids may be chosen by clients.</summary>
internal readonly record struct DataKeyId(UInt128 Value)
{
    public const int Size = 16;

    public ResourceKey RecordKey => new(KeyRecords.DataKeyType, Value.ToString("x32", null));

    public static DataKeyId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);
}

/// <summary>From subject to <see cref="DataKeyId"/>. Its secret never changes, because stored bodies name their keys by it.</summary>
internal sealed class SubjectNames(byte[] secret)
{
    private const byte TenantItself = 0;
    private const byte Patient = 1;

    private readonly DataKeyId _tenant = Hash(secret, [TenantItself]);

    /// <param name="subject">Null for the tenant's own data.</param>
    public DataKeyId IdOf(string? subject)
    {
        if (subject is null)
        {
            return _tenant;
        }
        var length = Encoding.UTF8.GetByteCount(subject);
        var input = length < 256 ? stackalloc byte[1 + length] : new byte[1 + length];
        input[0] = Patient;
        Encoding.UTF8.GetBytes(subject, input[1..]);
        return Hash(secret, input);
    }

    private static DataKeyId Hash(byte[] secret, ReadOnlySpan<byte> input)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, input, hash);
        return DataKeyId.Read(hash[..DataKeyId.Size]);
    }
}
