using System.Security.Cryptography;
using System.Text;

namespace Auditing.Blocks;

/// <summary>The hash that ties a block's entries to all before them in their chain: SHA-256 over the hash before and the entries as they stand in the block.</summary>
internal static class ChainHash
{
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>What the first entry of a chain follows.</summary>
    public static byte[] Origin(string chain) => SHA256.HashData(Encoding.ASCII.GetBytes($"fhir audit chain {chain}"));

    /// <param name="hash">Of the chain so far; becomes that of the chain with the entries.</param>
    public static void Extend(Span<byte> hash, ReadOnlySpan<byte> entries)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha256.AppendData(hash);
        sha256.AppendData(entries);
        sha256.GetHashAndReset(hash);
    }
}
