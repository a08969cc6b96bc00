using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Tests.Clients;

/// <summary>A client's key and the assertions it signs with it, made by hand so that they can be made wrong.</summary>
public sealed class Signer : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    public Signer(string algorithm, string keyId = "key-1", int rsaBits = 2048)
    {
        (Algorithm, KeyId) = (algorithm, keyId);
        _key = algorithm switch
        {
            "ES256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            "ES384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            _ => RSA.Create(rsaBits),
        };
    }

    public string Algorithm { get; }

    public string KeyId { get; }

    public JsonObject PublicKey(string? keyId = null)
    {
        if (_key is RSA rsa)
        {
            var numbers = rsa.ExportParameters(false);
            return new() { ["kty"] = "RSA", ["kid"] = keyId ?? KeyId, ["n"] = Base64UrlEncoder.Encode(numbers.Modulus), ["e"] = Base64UrlEncoder.Encode(numbers.Exponent) };
        }
        var point = ((ECDsa)_key).ExportParameters(false);
        return new()
        {
            ["kty"] = "EC", ["kid"] = keyId ?? KeyId, ["crv"] = Algorithm == "ES256" ? "P-256" : "P-384",
            ["x"] = Base64UrlEncoder.Encode(point.Q.X), ["y"] = Base64UrlEncoder.Encode(point.Q.Y),
        };
    }

    public static string KeySet(params JsonObject[] keys) => new JsonObject { ["keys"] = new JsonArray([.. keys.Select(key => key.DeepClone())]) }.ToJsonString();

    public JsonObject Header() => new() { ["alg"] = Algorithm, ["kid"] = KeyId, ["typ"] = "JWT" };

    public static JsonObject Claims(string clientId, DateTimeOffset now, string audience = "https://clinic.example/auth/token") => new()
    {
        ["iss"] = clientId, ["sub"] = clientId, ["aud"] = audience, ["exp"] = now.AddMinutes(4).ToUnixTimeSeconds(), ["jti"] = Guid.NewGuid().ToString("N"),
    };

    public string Sign(JsonObject header, JsonObject claims)
    {
        var text = $"{Encode(header)}.{Encode(claims)}";
        var bytes = System.Text.Encoding.ASCII.GetBytes(text);
        var hash = Algorithm.EndsWith("384", StringComparison.Ordinal) ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
        var signature = _key is RSA rsa ? rsa.SignData(bytes, hash, RSASignaturePadding.Pkcs1) : ((ECDsa)_key).SignData(bytes, hash);
        return $"{text}.{Base64UrlEncoder.Encode(signature)}";
    }

    public static string Encode(JsonObject part) => Base64UrlEncoder.Encode(JsonSerializer.SerializeToUtf8Bytes(part));

    public static Dictionary<string, string> Form(string assertion, string scope = "system/Patient.rs", string? clientId = null)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials", ["scope"] = scope,
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", ["client_assertion"] = assertion,
        };
        if (clientId is not null)
        {
            form["client_id"] = clientId;
        }
        return form;
    }

    public void Dispose() => _key.Dispose();
}
