using System.Security.Cryptography;
using System.Text;
using Authorization.Clients;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Outside;

/// <summary>What an id token is held against.</summary>
/// <param name="Nonce">Null for a logout token, which has none.</param>
/// <param name="SignedInSince">Where the user had to sign in anew: not before.</param>
internal sealed record ExpectedIdToken(string Issuer, string ClientId, string? Nonce, string? AccessToken, DateTimeOffset Now, DateTimeOffset? SignedInSince = null);

/// <summary>Whether a token is the provider's word about a user: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation.</summary>
internal static class IdTokens
{
    private const int LongestText = 16 * 1024;
    private const int LongestSubject = 255;
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);
    private static readonly JsonWebTokenHandler Tokens = new() { MaximumTokenSizeInBytes = LongestText, MapInboundClaims = false };

    /// <summary>The key and algorithm that a token says it is signed with; nothing is proved by that.</summary>
    public static (string KeyId, AssertionAlgorithm Algorithm)? HeaderOf(string token)
    {
        if (token.Length > LongestText)
        {
            return null;
        }
        try
        {
            var jwt = new JsonWebToken(token);
            return jwt is { Kid.Length: > 0, EncodedHeader: not null } && AssertionAlgorithm.Of(jwt.Alg) is { } algorithm && !jwt.TryGetHeaderValue<object>("crit", out _) ? (jwt.Kid, algorithm) : null;
        }
        catch (Exception wrong) when (wrong is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    /// <returns>The token, or a short code of what is wrong with it.</returns>
    public static async Task<(JsonWebToken? Token, string Fault)> ReadAsync(string token, SecurityKey key, AssertionAlgorithm algorithm, ExpectedIdToken expected)
    {
        var result = await Tokens.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            ValidAlgorithms = [algorithm.Name],
            ValidIssuer = expected.Issuer,
            ValidateAudience = false, // below, more strictly
            ValidateLifetime = false, // below, by our clock
            CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
        });
        if (!result.IsValid)
        {
            return (null, result.Exception is SecurityTokenInvalidIssuerException ? "issuer" : "signature");
        }
        var jwt = (JsonWebToken)result.SecurityToken;
        return Check(jwt, algorithm, expected) is { } fault ? (null, fault) : (jwt, "");
    }

    private static string? Check(JsonWebToken jwt, AssertionAlgorithm algorithm, ExpectedIdToken expected)
    {
        // One audience, us: a token that others may use too is not only for us.
        if (jwt.Audiences.ToArray() is not [var audience] || audience != expected.ClientId || (jwt.TryGetPayloadValue<string>("azp", out var party) && party != expected.ClientId))
        {
            return "audience";
        }
        if (jwt.TryGetHeaderValue<string>("typ", out var type) && !type.Equals(expected.Nonce is null ? "logout+jwt" : "JWT", StringComparison.OrdinalIgnoreCase) && !type.Equals("JWT", StringComparison.OrdinalIgnoreCase))
        {
            return "type";
        }
        if (Instant(jwt, "exp") is not { } expires || expires + ClockSkew <= expected.Now || Instant(jwt, "iat") is not { } issued || issued > expected.Now + ClockSkew
            || (Instant(jwt, "nbf") is { } begins && begins > expected.Now + ClockSkew))
        {
            return "time";
        }
        if (expected.Nonce is null)
        {
            return null;
        }
        if (string.IsNullOrEmpty(jwt.Subject) || jwt.Subject.Length > LongestSubject)
        {
            return "subject";
        }
        if (!jwt.TryGetPayloadValue<string>("nonce", out var nonce) || !IsSame(nonce, expected.Nonce))
        {
            return "nonce";
        }
        if (jwt.TryGetPayloadValue<string>("at_hash", out var hash) && (expected.AccessToken is null || !IsSame(hash, HashOf(expected.AccessToken, algorithm))))
        {
            return "access-token";
        }
        return expected.SignedInSince is { } since && (Instant(jwt, "auth_time") is not { } at || at + ClockSkew < since) ? "max-age" : null;
    }

    internal static DateTimeOffset? Instant(JsonWebToken jwt, string claim) =>
        jwt.TryGetPayloadValue<long>(claim, out var seconds) && seconds is >= 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <summary>Left half of the hash, https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken.</summary>
    private static string HashOf(string accessToken, AssertionAlgorithm algorithm)
    {
        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var hash = algorithm.Name.EndsWith("384", StringComparison.Ordinal) ? SHA384.HashData(bytes) : SHA256.HashData(bytes);
        return Base64UrlEncoder.Encode(hash, 0, hash.Length / 2);
    }

    private static bool IsSame(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
