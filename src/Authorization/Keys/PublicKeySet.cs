using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Keys;

/// <summary>The key set that others verify our tokens with, RFC 7517: public parts only.</summary>
internal static class PublicKeySet
{
    /// <summary>Far less than <see cref="ServerKeys.Lead"/>.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    public static byte[] Write(IEnumerable<SigningKey> keys)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartArray("keys");
            foreach (var key in keys)
            {
                json.WriteStartObject();
                json.WriteString("kid", key.Key.KeyId);
                json.WriteString("use", "sig");
                json.WriteString("alg", SigningKey.AlgorithmOf(key.Series));
                Write(json, key.Key);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static void Write(Utf8JsonWriter json, AsymmetricSecurityKey key)
    {
        if (key is RsaSecurityKey rsa)
        {
            var numbers = rsa.Rsa.ExportParameters(false);
            json.WriteString("kty", "RSA");
            json.WriteString("n", Base64UrlEncoder.Encode(numbers.Modulus));
            json.WriteString("e", Base64UrlEncoder.Encode(numbers.Exponent));
            return;
        }
        var point = ((ECDsaSecurityKey)key).ECDsa.ExportParameters(false).Q;
        json.WriteString("kty", "EC");
        json.WriteString("crv", "P-256");
        json.WriteString("x", Base64UrlEncoder.Encode(point.X));
        json.WriteString("y", Base64UrlEncoder.Encode(point.Y));
    }
}
