using System.Security.Cryptography;

namespace FhirStore.Encryption;

/// <summary>
/// AES-256-GCM under a key made for one message: HKDF-Expand (RFC 5869) of the data key and a random salt. No two messages share
/// a key, so the number of messages under one data key needs no bookkeeping.
/// </summary>
/// <remarks>
/// Layout: salt (32), nonce (12), ciphertext, tag (16). HKDF's extract step is left out, as section 3.3 of the RFC allows for a
/// data key that is uniformly random already; it would double the cost of the derivation.
/// </remarks>
internal static class MessageCipher
{
    public const int KeySize = 32;
    public const int Overhead = SaltSize + NonceSize + TagSize;

    private const int SaltSize = 32;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    private static ReadOnlySpan<byte> Label => "fhir message key"u8;

    /// <param name="destination">As long as <paramref name="plain"/> and <see cref="Overhead"/> together.</param>
    public static void Encrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> associated, Span<byte> destination)
    {
        RandomBytes.Fill(destination[..(SaltSize + NonceSize)]);
        Span<byte> messageKey = stackalloc byte[KeySize];
        DeriveKey(key, destination[..SaltSize], messageKey);
        using var gcm = new AesGcm(messageKey, TagSize);
        CryptographicOperations.ZeroMemory(messageKey);
        gcm.Encrypt(
            destination.Slice(SaltSize, NonceSize), plain, destination[(SaltSize + NonceSize)..^TagSize], destination[^TagSize..], associated);
    }

    /// <param name="plain">Shorter than <paramref name="message"/> by <see cref="Overhead"/>.</param>
    /// <exception cref="CryptographicException">Another key, other associated data, or altered bytes.</exception>
    public static void Decrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> associated, Span<byte> plain)
    {
        Span<byte> messageKey = stackalloc byte[KeySize];
        DeriveKey(key, message[..SaltSize], messageKey);
        using var gcm = new AesGcm(messageKey, TagSize);
        CryptographicOperations.ZeroMemory(messageKey);
        gcm.Decrypt(message.Slice(SaltSize, NonceSize), message[(SaltSize + NonceSize)..^TagSize], message[^TagSize..], plain, associated);
    }

    private static void DeriveKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, Span<byte> messageKey)
    {
        // One block of HKDF-Expand with info = label | salt; HKDF.Expand gives the same bytes with more allocations.
        Span<byte> input = stackalloc byte[Label.Length + SaltSize + 1];
        Label.CopyTo(input);
        salt.CopyTo(input[Label.Length..]);
        input[^1] = 1;
        HMACSHA256.HashData(key, input, messageKey);
    }
}
