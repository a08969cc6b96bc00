using System.Security.Cryptography;
using System.Text;

namespace Auditing.Blocks;

/// <summary>The hash that ties each entry to all before it in its chain: SHA-256 over the previous hash and the entry's bytes.</summary>
internal static class ChainHash
{
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>What the first entry of a chain follows.</summary>
    public static byte[] Origin(string chain) => SHA256.HashData(Encoding.ASCII.GetBytes($"fhir audit chain {chain}"));

    /// <param name="hash">Of the chain so far; becomes that of the chain with the entry.</param>
    public static void Extend(Span<byte> hash, ReadOnlySpan<byte> entry)
    {
        const int Short = 1024;
        var length = Size + entry.Length;
        var joined = length <= Short ? stackalloc byte[Short] : new byte[length];
        hash.CopyTo(joined);
        entry.CopyTo(joined[Size..]);
        SHA256.HashData(joined[..length], hash);
    }
}
