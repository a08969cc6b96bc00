using System.Buffers.Text;
using System.Security.Cryptography;
using FhirStore.Encryption;

namespace FhirStore.Sealed;

/// <summary>
/// Records that are found by a secret a browser or a person holds: their id is a keyed token of it, so whoever reads the store learns
/// no secret, and whoever knows a secret but not the key cannot tell its record.
/// </summary>
public static class SecretId
{
    private const int SecretLength = 32;
    private const int IdLength = 16;

    /// <summary>256 random bits, fit for a cookie or an address.</summary>
    public static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretLength));

    public static string Of(IndexTokenKey key, string secret)
    {
        Span<byte> token = stackalloc byte[IdLength];
        key.Token(secret, token);
        return Convert.ToHexStringLower(token);
    }
}
