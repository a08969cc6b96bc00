using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Smart;

/// <summary>A key of a client, and the assertions it signs: https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html.</summary>
internal sealed class ClientKey(string id, string algorithm, AsymmetricAlgorithm key)
{
    public static ClientKey Ec384(string id) => new(id, "ES384", ECDsa.Create(ECCurve.NamedCurves.nistP384));

    public static ClientKey Rsa384(string id) => new(id, "RS384", RSA.Create(2048));

    public string Id => id;

    public JsonObject Public()
    {
        var jwk = new JsonObject { ["kid"] = id, ["alg"] = algorithm, ["use"] = "sig" };
        switch (key)
        {
            case ECDsa ec:
                var point = ec.ExportParameters(false).Q;
                (jwk["kty"], jwk["crv"], jwk["x"], jwk["y"]) = ("EC", "P-384", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
                break;
            case RSA rsa:
                var numbers = rsa.ExportParameters(false);
                (jwk["kty"], jwk["n"], jwk["e"]) = ("RSA", Base64Url.EncodeToString(numbers.Modulus), Base64Url.EncodeToString(numbers.Exponent));
                break;
        }
        return jwk;
    }

    /// <param name="change">Makes it wrong in one way.</param>
    public string Assertion(string clientId, string tokenEndpoint, Action<JsonObject, JsonObject>? change = null)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = new JsonObject { ["alg"] = algorithm, ["kid"] = id, ["typ"] = "JWT" };
        var claims = new JsonObject
        {
            ["iss"] = clientId, ["sub"] = clientId, ["aud"] = tokenEndpoint, ["exp"] = now + 240, ["iat"] = now, ["jti"] = Guid.NewGuid().ToString("N"),
        };
        change?.Invoke(header, claims);
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private byte[] Sign(byte[] text) => key switch
    {
        ECDsa ec => ec.SignData(text, HashAlgorithmName.SHA384),
        RSA rsa => rsa.SignData(text, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
        _ => throw new NotSupportedException(key.GetType().Name),
    };

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}

/// <summary>A signed token, taken apart by hand.</summary>
internal sealed record Jwt(JsonObject Header, JsonObject Claims, string Signed, byte[] Signature)
{
    public static Jwt Parse(string text)
    {
        var parts = text.Split('.');
        Assert.Equal(3, parts.Length);
        return new(Decode(parts[0]), Decode(parts[1]), $"{parts[0]}.{parts[1]}", Base64Url.DecodeFromChars(parts[2]));
    }

    public bool IsSignedBy(JsonNode rsaKey)
    {
        using var rsa = RSA.Create(new RSAParameters
        {
            Modulus = Base64Url.DecodeFromChars((string)rsaKey["n"]!), Exponent = Base64Url.DecodeFromChars((string)rsaKey["e"]!),
        });
        return rsa.VerifyData(Encoding.ASCII.GetBytes(Signed), Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static JsonObject Decode(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part))!.AsObject();
}
