using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Clients;

/// <summary>A client's public keys, https://www.rfc-editor.org/rfc/rfc7517, read strictly: what is ambiguous or too weak is no key.</summary>
public sealed class ClientKeySet
{
    internal const int LongestText = 64 * 1024;
    private const int MostKeys = 100;
    private const int LeastRsaBytes = 256;
    private const int MostRsaBytes = 1024;

    private readonly ImmutableArray<Entry> _keys;

    private ClientKeySet(ImmutableArray<Entry> keys) => _keys = keys;

    /// <param name="problem">What is wrong, without repeating any of it.</param>
    public static bool TryParse(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out ClientKeySet? keys, [NotNullWhen(false)] out string? problem)
    {
        keys = null;
        if (json.Length > LongestText)
        {
            problem = "is larger than 64 KB.";
            return false;
        }
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array)
            {
                problem = "is not a JWK set: {\"keys\": [...]}.";
                return false;
            }
            if (list.GetArrayLength() > MostKeys)
            {
                problem = $"has more than {MostKeys} keys.";
                return false;
            }
            var entries = ImmutableArray.CreateBuilder<Entry>();
            foreach (var key in list.EnumerateArray())
            {
                if (key.ValueKind != JsonValueKind.Object)
                {
                    problem = "has a key that is no object.";
                    return false;
                }
                if (key.TryGetProperty("d", out _) || key.TryGetProperty("k", out _))
                {
                    problem = "has a private or symmetric key: only public keys may be there.";
                    return false;
                }
                entries.Add(new(Text(key, "kid"), Text(key, "kty"), Text(key, "alg"), Text(key, "use"), key.Clone()));
            }
            (keys, problem) = (new(entries.ToImmutable()), null);
            return true;
        }
        catch (JsonException)
        {
            problem = "is not JSON.";
            return false;
        }
    }

    /// <summary>At least one key that could sign an assertion.</summary>
    public bool CanVerify => _keys.Any(static key => key.Id is not null && AssertionAlgorithm.All.Any(algorithm => Build(key, algorithm) is not null));

    /// <summary>How many keys have this id.</summary>
    public int Count(string keyId) => _keys.Count(key => key.Id == keyId);

    /// <returns>Null unless exactly one key has the id, and it fits the algorithm.</returns>
    public AsymmetricSecurityKey? Find(string keyId, AssertionAlgorithm algorithm)
    {
        ArgumentNullException.ThrowIfNull(algorithm);
        return Count(keyId) == 1 ? Build(_keys.First(key => key.Id == keyId), algorithm) : null;
    }

    private static AsymmetricSecurityKey? Build(Entry key, AssertionAlgorithm algorithm)
    {
        if (key.Type != algorithm.KeyType
            || (key.Algorithm is not null && key.Algorithm != algorithm.Name)
            || (key.Use is not null && key.Use != "sig"))
        {
            return null;
        }
        try
        {
            return algorithm.Curve is { } curve ? Elliptic(key, curve, algorithm.CurveName!) : Rsa(key);
        }
        catch (Exception wrong) when (wrong is CryptographicException or FormatException)
        {
            return null; // numbers that are no key
        }
    }

    private static RsaSecurityKey? Rsa(Entry key)
    {
        var (modulus, exponent) = (Bytes(key.Json, "n"), Bytes(key.Json, "e"));
        return modulus is { Length: >= LeastRsaBytes and <= MostRsaBytes } && exponent is { Length: > 0 and <= 8 }
            ? new(new RSAParameters { Modulus = modulus, Exponent = exponent }) { KeyId = key.Id }
            : null;
    }

    private static ECDsaSecurityKey? Elliptic(Entry key, ECCurve curve, string name)
    {
        if (Text(key.Json, "crv") != name || Bytes(key.Json, "x") is not { } x || Bytes(key.Json, "y") is not { } y)
        {
            return null;
        }
        return new(ECDsa.Create(new ECParameters { Curve = curve, Q = new() { X = x, Y = y } })) { KeyId = key.Id };
    }

    private static byte[]? Bytes(JsonElement key, string name) => Text(key, name) is { } text ? Base64UrlEncoder.DecodeBytes(text) : null;

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private sealed record Entry(string? Id, string? Type, string? Algorithm, string? Use, JsonElement Json);
}

/// <summary>An algorithm a client may sign its assertions with: RS384 and ES384 as SMART asks, and their 256 siblings.</summary>
public sealed record AssertionAlgorithm(string Name, string KeyType, ECCurve? Curve = null, string? CurveName = null)
{
    public static readonly ImmutableArray<AssertionAlgorithm> All =
    [
        new("RS384", "RSA"),
        new("ES384", "EC", ECCurve.NamedCurves.nistP384, "P-384"),
        new("RS256", "RSA"),
        new("ES256", "EC", ECCurve.NamedCurves.nistP256, "P-256"),
    ];

    public static AssertionAlgorithm? Of(string? name) => All.FirstOrDefault(algorithm => algorithm.Name == name);
}
