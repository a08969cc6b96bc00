using System.Security.Cryptography;

namespace FhirStore.Encryption;

/// <summary>HMAC-SHA-256 under one key, for many short inputs. Safe to share between threads.</summary>
internal sealed class KeyedHash
{
    public const int Size = HMACSHA256.HashSizeInBytes;

    private readonly byte[] _key;

    // Keyed once and used again it takes half the time of the one-shot call, which serves whoever finds it taken.
    private IncrementalHash? _keyed;

    /// <param name="key">Not copied.</param>
    public KeyedHash(byte[] key)
    {
        _key = key;
        _keyed = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
    }

    /// <param name="hash"><see cref="Size"/> bytes.</param>
    public void Compute(ReadOnlySpan<byte> input, Span<byte> hash)
    {
        var keyed = Interlocked.Exchange(ref _keyed, null);
        if (keyed is null)
        {
            HMACSHA256.HashData(_key, input, hash);
            return;
        }
        keyed.AppendData(input);
        keyed.GetHashAndReset(hash);
        Volatile.Write(ref _keyed, keyed);
    }
}
