using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Authorization.Accounts;
using Authorization.Clients;
using Authorization.Records;
using Authorization.Server;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Outside;

/// <summary>What a browser has begun at an outside provider: part of its flow.</summary>
public sealed record StoredOutsideFlow(string Provider, string State, string Nonce, string Verifier, DateTimeOffset? SignedInSince)
{
    // The generated text of a record would hold the secrets.
    public override string ToString() => Provider;
}

/// <summary>How a return from an outside provider ended.</summary>
public abstract record OutsideReturn
{
    private OutsideReturn()
    {
    }

    /// <param name="Flow">Has ended: nothing that follows is done twice.</param>
    public sealed record Proven(OutsideIdentity Identity, ExternalProvider Provider, StoredFlow Flow) : OutsideReturn;

    /// <summary>The person, or the provider, does not want it: nobody is suspected.</summary>
    public sealed record Declined : OutsideReturn;

    /// <param name="Fault">A short code for the audit trail. The person is told one thing for all of them.</param>
    public sealed record Refused(string Fault) : OutsideReturn;
}

/// <summary>
/// Signs people in by an outside OpenID provider: authorization code, PKCE, state and nonce, each good once for one browser.
/// https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
/// </summary>
public sealed class OutsideSignIn(
    ExternalProviders providers, ProviderClient client, ClientKeySource keys, Flows flows, OneTimeValues used, PublicAddresses addresses, TimeProvider clock)
{
    private const string LogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
    private const string LogoutPurpose = "outside-logout";
    private static readonly TimeSpan LogoutLifetime = TimeSpan.FromMinutes(10);

    public string ReturnAddressOf(ExternalProvider provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return $"{addresses.Issuer}/outside/{provider.Name}/return";
    }

    /// <param name="accountId">Whose account the outside sign-in is to be joined to; null for a sign-in.</param>
    /// <param name="returnPath">Checked already.</param>
    /// <returns>Where the browser goes; null while the provider cannot be reached.</returns>
    public async Task<string?> BeginAsync(HttpContext context, ExternalProvider provider, string? accountId, string? returnPath, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(provider);
        if (await client.DiscoverAsync(provider, ct) is not { } document)
        {
            return null;
        }
        var age = MaxAgeOf(returnPath);
        var flow = new StoredOutsideFlow(provider.Name, SecretId.NewSecret(), SecretId.NewSecret(), SecretId.NewSecret(), age is { } seconds ? clock.GetUtcNow() - TimeSpan.FromSeconds(seconds) : null);
        await flows.BeginAsync(context, new() { Kind = FlowKind.Outside, AccountId = accountId, Return = returnPath, Outside = flow }, withCode: false, ct);
        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["response_type"] = "code", ["client_id"] = provider.ClientId, ["redirect_uri"] = ReturnAddressOf(provider), ["scope"] = provider.Scopes,
            ["state"] = flow.State, ["nonce"] = flow.Nonce, ["code_challenge_method"] = "S256",
            ["code_challenge"] = Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(flow.Verifier))),
        };
        foreach (var (name, value) in provider.Parameters)
        {
            parameters[name] = value;
        }
        if (age is not null)
        {
            parameters["max_age"] = age.Value.ToString(CultureInfo.InvariantCulture);
        }
        return QueryHelpers.AddQueryString(document.Authorize, parameters);
    }

    /// <summary>Reads what the provider has sent the browser back with. The flow is over afterwards, whatever comes of it.</summary>
    public async Task<OutsideReturn> FinishAsync(HttpContext context, string providerName, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (providers.Find(providerName) is not { } provider
            || await flows.FindAsync(context, FlowKind.Outside, ct) is not { Value.Outside: { } begun } flow || begun.Provider != provider.Name)
        {
            return new OutsideReturn.Refused("no-flow");
        }
        var query = context.Request.Query;
        if (One(query["state"]) is not { } state || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(begun.State)))
        {
            return new OutsideReturn.Refused("state");
        }
        if (!await flows.EndAsync(context, flow, ct))
        {
            return new OutsideReturn.Refused("no-flow"); // another request was here with the same state
        }
        if (await client.DiscoverAsync(provider, ct) is not { } document)
        {
            return new OutsideReturn.Refused("provider-away");
        }
        // RFC 9207: an answer of another provider that a browser was made to bring here.
        if (One(query["iss"]) is var issuer && (issuer is not null ? issuer != provider.Issuer : document.SendsIssuer || query["iss"].Count > 0))
        {
            return new OutsideReturn.Refused("issuer");
        }
        if (query.ContainsKey("error"))
        {
            return new OutsideReturn.Declined();
        }
        if (One(query["code"]) is not { } code || await client.RedeemAsync(provider, document, code, begun.Verifier, ReturnAddressOf(provider), ct) is not { } tokens)
        {
            return new OutsideReturn.Refused("code");
        }
        var now = clock.GetUtcNow();
        var (token, fault) = await ReadAsync(tokens.IdToken, document, new(provider.Issuer, provider.ClientId, begun.Nonce, tokens.AccessToken, now, begun.SignedInSince), ct);
        return token is null ? new OutsideReturn.Refused(fault) : new OutsideReturn.Proven(OutsideIdentity.Of(token, provider, now), provider, flow.Value);
    }

    /// <summary>Where the person can sign out at the provider, too.</summary>
    /// <returns>Null where it offers no such page.</returns>
    public async Task<string?> SignOutAddressAsync(ExternalProvider provider, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return (await client.DiscoverAsync(provider, ct))?.EndSession is { } address
            ? QueryHelpers.AddQueryString(address, new Dictionary<string, string?> { ["client_id"] = provider.ClientId, ["post_logout_redirect_uri"] = $"{addresses.Issuer}/sign-in" })
            : null;
    }

    /// <summary>The provider tells that a user is no longer signed in there: https://openid.net/specs/openid-connect-backchannel-1_0.html.</summary>
    /// <returns>Whose sessions end, by subject, by session id or both; null where it is not the provider's word, or was told before.</returns>
    public async Task<(string? Subject, string? SessionId)?> ReadLogoutAsync(ExternalProvider provider, string token, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(provider);
        var now = clock.GetUtcNow();
        if (await client.DiscoverAsync(provider, ct) is not { } document
            || (await ReadAsync(token, document, new(provider.Issuer, provider.ClientId, null, null, now), ct)).Token is not { } logout
            || logout.TryGetPayloadValue<object>("nonce", out _)
            || !logout.TryGetPayloadValue<object>("events", out var events) || !(events.ToString() ?? "").Contains(LogoutEvent, StringComparison.Ordinal)
            || !logout.TryGetPayloadValue<string>("jti", out var id) || IdTokens.Instant(logout, "iat") is not { } issued || issued < now - LogoutLifetime)
        {
            return null;
        }
        var subject = string.IsNullOrEmpty(logout.Subject) ? null : logout.Subject;
        var session = logout.TryGetPayloadValue<string>("sid", out var sid) ? sid : null;
        return (subject ?? session) is not null && await used.TryUseAsync(LogoutPurpose, $"{provider.Issuer}\n{id}", issued + LogoutLifetime, ct) ? (subject, session) : null;
    }

    private async Task<(JsonWebToken? Token, string Fault)> ReadAsync(string token, ProviderDocument document, ExpectedIdToken expected, CancellationToken ct)
    {
        if (IdTokens.HeaderOf(token) is not var (keyId, algorithm))
        {
            return (null, "algorithm");
        }
        return await keys.FindAsync(null, document.Keys, keyId, ct) is { } set && set.Find(keyId, algorithm) is { } key
            ? await IdTokens.ReadAsync(token, key, algorithm, expected)
            : (null, "key");
    }

    /// <summary>An app that wants the user to have signed in lately wants it of the provider, too.</summary>
    private static int? MaxAgeOf(string? returnPath) =>
        returnPath is not null && returnPath.IndexOf('?', StringComparison.Ordinal) is var mark and >= 0
            && QueryHelpers.ParseQuery(returnPath[mark..]).TryGetValue("max_age", out var values) && int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? seconds : null;

    private static string? One(Microsoft.Extensions.Primitives.StringValues values) => values is [{ Length: > 0 } only] ? only : null;
}
