using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Authorization.Records;
using Authorization.Server;
using Authorization.Stores;
using FhirStore.Sealed;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Clients;

/// <summary>
/// Whether a signed assertion proves who a client is: https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html.
/// Every refusal is the same to the caller; what was nearly right would help an attacker only.
/// </summary>
public sealed class ClientAssertions(
    SealedRecords<OAuthApplication> applications, ApplicationIndex index, ClientKeySource keys, OneTimeValues used, PublicAddresses addresses, TimeProvider clock)
{
    /// <summary>An assertion may end at most this far ahead.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(5);

    internal const string Purpose = "client-assertion";
    private const int LongestText = 8 * 1024;
    private const int LongestTokenId = 256;
    private const double LatestInstant = 253_402_300_799;

    /// <summary>A client's clock may be that far ahead of ours.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };
    private static readonly JsonWebTokenHandler Tokens = new() { MaximumTokenSizeInBytes = LongestText, MapInboundClaims = false };

    /// <summary>Who the assertion says it is from; nothing is proved by that.</summary>
    public static string? ClaimedIssuer(string? assertion) => TryRead(assertion, out var jwt) ? Text(jwt.Payload, "iss") : null;

    /// <summary>Checks it and uses it up: the same assertion is refused the next time, in every process.</summary>
    /// <param name="clientId">The request's own <c>client_id</c>, if it has one.</param>
    /// <returns>Null unless all of it is right.</returns>
    public async Task<OAuthApplication?> AuthenticateAsync(string? assertion, string? clientId, CancellationToken ct)
    {
        if (!TryRead(assertion, out var jwt)
            || AssertionAlgorithm.Of(Text(jwt.Header, "alg")) is not { } algorithm
            || Text(jwt.Header, "typ") is not { } type || !(type.Equals("JWT", StringComparison.OrdinalIgnoreCase) || type == "client-authentication+jwt")
            || Text(jwt.Header, "kid") is not { } keyId
            || jwt.Header.TryGetProperty("crit", out _)
            || Text(jwt.Payload, "iss") is not { } issuer
            || Text(jwt.Payload, "sub") != issuer
            || (clientId is not null && clientId != issuer)
            || Text(jwt.Payload, "jti") is not { Length: <= LongestTokenId } tokenId
            || !IsForUs(jwt.Payload)
            || !IsInTime(jwt.Payload, out var expires))
        {
            return null;
        }
        if ((await applications.FirstAsync(index.ClientId(issuer), ct))?.Value is not { } application || !ClientSettings.IsApproved(application))
        {
            return null;
        }
        var (jwks, jwksUri) = ClientSettings.KeysOf(application);
        if (jwt.Header.TryGetProperty("jku", out _) && (jwksUri is null || Text(jwt.Header, "jku") != jwksUri))
        {
            return null;
        }
        var set = await keys.FindAsync(jwks, jwksUri, keyId, ct);
        if (set?.Find(keyId, algorithm) is not { } key || !await IsSignedAsync(assertion!, key, algorithm))
        {
            return null;
        }
        return await used.TryUseAsync(Purpose, $"{issuer}\n{tokenId}", expires + ClockSkew, ct) ? application : null;
    }

    private static bool TryRead(string? assertion, out (JsonElement Header, JsonElement Payload) jwt)
    {
        jwt = default;
        if (assertion is not { Length: > 0 and <= LongestText } || assertion.Split('.') is not [var header, var payload, _])
        {
            return false;
        }
        return TryParse(header, out jwt.Header) && TryParse(payload, out jwt.Payload);
    }

    private static bool TryParse(string part, out JsonElement json)
    {
        json = default;
        try
        {
            using var document = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(part), Strict);
            json = document.RootElement.Clone();
            return json.ValueKind == JsonValueKind.Object;
        }
        catch (Exception wrong) when (wrong is JsonException or FormatException or ArgumentException)
        {
            return false;
        }
    }

    private bool IsForUs(JsonElement payload)
    {
        if (!payload.TryGetProperty("aud", out var audience))
        {
            return false;
        }
        return audience.ValueKind == JsonValueKind.Array
            ? audience.GetArrayLength() > 0 && audience.EnumerateArray().All(IsUs)
            : IsUs(audience);

        bool IsUs(JsonElement value) =>
            value.ValueKind == JsonValueKind.String && (value.ValueEquals(addresses.TokenEndpoint) || value.ValueEquals(addresses.Issuer));
    }

    private bool IsInTime(JsonElement payload, out DateTimeOffset expires)
    {
        var now = clock.GetUtcNow();
        return TryInstant(payload, "exp", out expires) && expires > now && expires <= now + LongestLife + ClockSkew
            && HasBegun(payload, "nbf", now) && HasBegun(payload, "iat", now);
    }

    private static bool HasBegun(JsonElement payload, string claim, DateTimeOffset now) =>
        !payload.TryGetProperty(claim, out _) || (TryInstant(payload, claim, out var start) && start <= now + ClockSkew);

    private static bool TryInstant(JsonElement payload, string claim, out DateTimeOffset instant)
    {
        instant = default;
        if (!payload.TryGetProperty(claim, out var value) || value.ValueKind != JsonValueKind.Number
            || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and <= LatestInstant))
        {
            return false;
        }
        instant = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }

    /// <returns>Null where it is missing, empty or no text.</returns>
    private static string? Text(JsonElement part, string name) =>
        part.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private static async Task<bool> IsSignedAsync(string assertion, SecurityKey key, AssertionAlgorithm algorithm)
    {
        var result = await Tokens.ValidateTokenAsync(assertion, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            ValidAlgorithms = [algorithm.Name],
            ValidateIssuer = false, // issuer, audience and times have been checked already, against our clock
            ValidateAudience = false,
            ValidateLifetime = false,
            CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
        });
        return result.IsValid;
    }
}
