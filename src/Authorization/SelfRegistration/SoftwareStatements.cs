using System.Collections.Frozen;
using System.Text.Json;
using Authorization.Clients;
using Authorization.Outside;
using Authorization.Server;
using FhirCore;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.SelfRegistration;

/// <summary>Statements by which somebody whom the settings trust vouches for an app, https://www.rfc-editor.org/rfc/rfc7591#section-2.3.</summary>
public sealed class SoftwareStatements(IOptions<AuthOptions> options, ClientKeySource keys, PublicAddresses addresses, TimeProvider clock)
{
    private const string Invalid = "invalid_software_statement";
    private const string Unapproved = "unapproved_software_statement";

    /// <summary>Without these an app is not vouched for as what it is: it waits like any other.</summary>
    private static readonly string[] Needed = ["client_name", "scope"];

    private readonly FrozenDictionary<string, StatementIssuerOptions> _issuers =
        options.Value.Registration.StatementIssuers.ToFrozenDictionary(static issuer => issuer.Issuer, StringComparer.Ordinal);

    /// <summary>Puts what the statement says in place of what the app says.</summary>
    /// <returns>What comes of it, and whether the statement says all that matters; a failure whose detail is the error code of RFC 7591.</returns>
    public async Task<Outcome<(JsonElement Metadata, bool IsApproved)>> ApplyAsync(JsonElement sent, CancellationToken ct)
    {
        if (sent.ValueKind != JsonValueKind.Object || !sent.TryGetProperty("software_statement", out var member))
        {
            return (sent, false);
        }
        if (member.ValueKind != JsonValueKind.String || member.GetString() is not { Length: > 0 } statement || IdTokens.HeaderOf(statement) is not var (keyId, algorithm)
            || IssuerOf(statement) is not { } issuer)
        {
            return Wrong("The software statement is no signed token.", Invalid);
        }
        if (!_issuers.TryGetValue(issuer, out var trusted))
        {
            return Wrong("Software statements of this issuer are not accepted here.", Unapproved);
        }
        var result = await keys.FindAsync(trusted.Jwks, trusted.Jwks is null ? trusted.JwksUri : null, keyId, ct) is { } set && set.Find(keyId, algorithm) is { } key
            ? await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(statement, new TokenValidationParameters
            {
                IssuerSigningKey = key,
                TryAllIssuerSigningKeys = false,
                ValidAlgorithms = [algorithm.Name],
                ValidIssuer = issuer,
                ValidateAudience = false, // below: it need not have one
                ValidateLifetime = false, // below, by our clock
                CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
            })
            : null;
        if (result is not { IsValid: true, SecurityToken: JsonWebToken token } || !IsGood(token))
        {
            return Wrong("The software statement is not signed by its issuer, is over, or is for another server.", Invalid);
        }
        return Merge(sent, token);
    }

    private bool IsGood(JsonWebToken token)
    {
        var now = clock.GetUtcNow();
        return IdTokens.Instant(token, "exp") is { } expires && expires > now && !(IdTokens.Instant(token, "nbf") > now)
            && token.Audiences.All(audience => audience == addresses.Issuer || audience == addresses.RegistrationEndpoint);
    }

    private static (JsonElement Metadata, bool IsApproved) Merge(JsonElement sent, JsonWebToken token)
    {
        using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload));
        var merged = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in sent.EnumerateObject())
        {
            merged[member.Name] = member.Value.Clone();
        }
        foreach (var member in payload.RootElement.EnumerateObject().Where(static member => member.Name is not ("iss" or "aud" or "exp" or "nbf" or "iat" or "jti" or "sub")))
        {
            merged[member.Name] = member.Value.Clone();
        }
        var vouched = payload.RootElement;
        var approved = Needed.All(name => vouched.TryGetProperty(name, out _))
            && (!merged.ContainsKey("redirect_uris") || vouched.TryGetProperty("redirect_uris", out _))
            && (!(merged.ContainsKey("jwks") || merged.ContainsKey("jwks_uri")) || vouched.TryGetProperty("jwks", out _) || vouched.TryGetProperty("jwks_uri", out _));
        return (JsonSerializer.SerializeToElement(merged, Records.RecordJson.Default.DictionaryStringJsonElement), approved);
    }

    private static string? IssuerOf(string statement)
    {
        try
        {
            return new JsonWebToken(statement).Issuer is { Length: > 0 } issuer ? issuer : null;
        }
        catch (Exception wrong) when (wrong is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    private static FhirFailure Wrong(string problem, string error) => FhirFailure.Of(FailureKind.Invalid, problem, detail: error);
}
