using System.Text;

namespace FhirStore.Encryption;

/// <summary>From subject to <see cref="DataKeyId"/>. The secret never changes, because stored bodies name their keys by it.</summary>
internal sealed class SubjectNames
{
    private const byte TenantItself = 0;
    private const byte Patient = 1;
    private const int ShortSubject = 255;

    private readonly KeyedHash _hash;
    private readonly DataKeyId _tenant;

    /// <param name="secret">Not copied.</param>
    public SubjectNames(byte[] secret)
    {
        _hash = new(secret);
        _tenant = Hash([TenantItself]);
    }

    /// <param name="subject">Null for the tenant's own data.</param>
    public DataKeyId IdOf(string? subject)
    {
        if (subject is null)
        {
            return _tenant;
        }
        var length = Encoding.UTF8.GetByteCount(subject);
        var input = length <= ShortSubject ? stackalloc byte[1 + length] : new byte[1 + length];
        input[0] = Patient;
        Encoding.UTF8.GetBytes(subject, input[1..]);
        return Hash(input);
    }

    private DataKeyId Hash(ReadOnlySpan<byte> input)
    {
        Span<byte> hash = stackalloc byte[KeyedHash.Size];
        _hash.Compute(input, hash);
        return DataKeyId.Read(hash[..DataKeyId.Size]);
    }
}
