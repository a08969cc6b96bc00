using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FhirStore.Encryption;

/// <summary>Keyed tokens for the search values of personal parameters: HMAC-SHA-256 under a key of their own per use, truncated.</summary>
public sealed class IndexTokens
{
    private readonly byte[] _root;
    private readonly string _epoch;
    private readonly ConcurrentDictionary<string, IndexTokenKey> _keys = new(StringComparer.Ordinal);

    /// <param name="root">32 random bytes; copied.</param>
    /// <param name="epoch">Tokens of different epochs have nothing in common.</param>
    public IndexTokens(ReadOnlySpan<byte> root, int epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(root.Length, MessageCipher.KeySize, nameof(root));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epoch);
        _root = root.ToArray();
        _epoch = epoch.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The key of one use, derived once and kept.</summary>
    /// <param name="use">Such as <c>Patient/identifier/value</c>. Never made from what a client sends: each use is kept for ever.</param>
    public IndexTokenKey KeyFor(string use)
    {
        ArgumentException.ThrowIfNullOrEmpty(use);
        return _keys.GetOrAdd(use, static (use, self) => self.Derive(use), this);
    }

    private IndexTokenKey Derive(string use) =>
        new(HKDF.DeriveKey(HashAlgorithmName.SHA256, _root, MessageCipher.KeySize, salt: null, info: Encoding.UTF8.GetBytes($"fhir index|{_epoch}|{use}")));
}

/// <summary>Makes the tokens of one use. Safe to share between threads.</summary>
public sealed class IndexTokenKey
{
    private const int ShortText = 512;

    private readonly KeyedHash _hash;

    internal IndexTokenKey(byte[] key) => _hash = new(key);

    /// <param name="destination">Filled whole: its length, 1 to 32 bytes, is the token's.</param>
    public void Token(ReadOnlySpan<byte> value, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfZero(destination.Length, nameof(destination));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, KeyedHash.Size, nameof(destination));
        Span<byte> hash = stackalloc byte[KeyedHash.Size];
        _hash.Compute(value, hash);
        hash[..destination.Length].CopyTo(destination);
    }

    /// <summary>The token of the UTF-8 bytes of a text.</summary>
    public void Token(ReadOnlySpan<char> value, Span<byte> destination)
    {
        var longest = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (longest <= ShortText)
        {
            Span<byte> bytes = stackalloc byte[ShortText];
            Token(bytes[..Encoding.UTF8.GetBytes(value, bytes)], destination);
            return;
        }
        var rented = ArrayPool<byte>.Shared.Rent(longest);
        Token(rented.AsSpan(0, Encoding.UTF8.GetBytes(value, rented)), destination);
        ArrayPool<byte>.Shared.Return(rented);
    }
}
