using System.Security.Cryptography;

namespace FhirStore.Encryption;

/// <summary>One key encrypted under another: format (1 byte), nonce (12), ciphertext, tag (16), with a context bound to it.</summary>
/// <remarks>Random nonces are safe here up to 2^32 wraps under one key; a tenant has one wrap for each patient.</remarks>
internal static class KeyWrap
{
    private const byte Format = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int Overhead = 1 + NonceSize + TagSize;

    public static byte[] Wrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        var wrapped = new byte[Overhead + key.Length];
        wrapped[0] = Format;
        var nonce = wrapped.AsSpan(1, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var gcm = new AesGcm(wrappingKey, TagSize);
        gcm.Encrypt(nonce, key, wrapped.AsSpan((1 + NonceSize)..^TagSize), wrapped.AsSpan(^TagSize..), context);
        return wrapped;
    }

    /// <returns>The key, to be wiped by the caller.</returns>
    /// <exception cref="CryptographicException">Another wrapping key, another context, or altered bytes.</exception>
    public static byte[] Unwrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context)
    {
        if (wrapped.Length < Overhead || wrapped[0] != Format)
        {
            throw new CryptographicException("Not a wrapped key of a format known here.");
        }
        var key = new byte[wrapped.Length - Overhead];
        using var gcm = new AesGcm(wrappingKey, TagSize);
        gcm.Decrypt(wrapped.Slice(1, NonceSize), wrapped[(1 + NonceSize)..^TagSize], wrapped[^TagSize..], key, context);
        return key;
    }
}
