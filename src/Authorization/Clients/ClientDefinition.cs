using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Authorization.Scopes;
using Authorization.Server;
using FhirCore.Outbound;

namespace Authorization.Clients;

/// <summary>A client as it may be registered: everything checked.</summary>
public sealed record ClientDefinition
{
    internal const int LongestId = 100;
    private const int ShortestSecret = 16;
    private const int LongestSecret = 256;
    private const int LongestName = 100;
    private const int LongestAddress = 1_000;
    private const int MostAddresses = 20;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    private ClientDefinition(ClientOptions options, RegisteredScopes scopes, ClientAuthentication authentication)
    {
        ClientId = options.ClientId;
        Name = string.IsNullOrWhiteSpace(options.Name) ? options.ClientId : options.Name.Trim();
        Secret = authentication == ClientAuthentication.Secret ? options.ClientSecret : null;
        Authentication = authentication;
        Scopes = scopes;
        RedirectUris = [.. options.RedirectUris];
        PostLogoutRedirectUris = [.. options.PostLogoutRedirectUris];
        Origins = [.. options.Origins];
        JwksUri = Given(options.JwksUri);
        Jwks = Given(options.Jwks);
        LaunchUrl = Given(options.LaunchUrl);
        MayLaunch = options.MayLaunch;
        MayIntrospect = options.MayIntrospect;
    }

    public string ClientId { get; }

    /// <summary>Shown to users.</summary>
    public string Name { get; }

    /// <summary>Null unless <see cref="Authentication"/> is by secret.</summary>
    public string? Secret { get; }

    public ClientAuthentication Authentication { get; }

    public string? JwksUri { get; }

    public string? Jwks { get; }

    public RegisteredScopes Scopes { get; }

    public ImmutableArray<string> RedirectUris { get; }

    public ImmutableArray<string> PostLogoutRedirectUris { get; }

    public ImmutableArray<string> Origins { get; }

    public string? LaunchUrl { get; }

    public bool MayLaunch { get; }

    public bool MayIntrospect { get; }

    /// <param name="guard">Where keys may be fetched from.</param>
    /// <param name="wrong">Name of the setting that is wrong, and what is wrong with it; the secret is not repeated.</param>
    public static bool TryCreate(
        ClientOptions options, OutboundGuard guard, [NotNullWhen(true)] out ClientDefinition? client, out (string Setting, string Problem) wrong)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(guard);
        client = null;
        if (options.ClientId is not { Length: >= 1 and <= LongestId } || options.ClientId.AsSpan().IndexOfAnyExcept(IdCharacters) >= 0)
        {
            wrong = ("ClientId", $"must have 1 to {LongestId} letters, digits, '-', '.', '_' or '~'.");
            return false;
        }
        if (options.Name is { Length: > LongestName } || options.Name?.Any(char.IsControl) is true)
        {
            wrong = ("Name", $"must have at most {LongestName} characters, none of them a control character.");
            return false;
        }
        if (CheckKeys(options, guard) is { } keys)
        {
            wrong = keys;
            return false;
        }
        if (!SmartScopes.TryParseRegistration(options.Scope, out var scopes, out var error))
        {
            wrong = ("Scope", $"is wrong: {error}");
            return false;
        }
        var authentication = Given(options.JwksUri) is not null || Given(options.Jwks) is not null ? ClientAuthentication.Keys
            : string.IsNullOrEmpty(options.ClientSecret) ? ClientAuthentication.None : ClientAuthentication.Secret;
        if ((CheckUse(options, scopes, authentication) ?? CheckAddresses(options)) is { } problem)
        {
            wrong = problem;
            return false;
        }
        wrong = default;
        client = new(options, scopes, authentication);
        return true;
    }

    private static (string Setting, string Problem)? CheckKeys(ClientOptions options, OutboundGuard guard)
    {
        if (Given(options.JwksUri) is { } address)
        {
            if (!string.IsNullOrEmpty(options.ClientSecret) || Given(options.Jwks) is not null)
            {
                return ("JwksUri", "stands beside ClientSecret or Jwks: a client proves who it is in one way only.");
            }
            if (address.Length > LongestAddress || !Uri.TryCreate(address, UriKind.Absolute, out var uri))
            {
                return ("JwksUri", "must be an absolute https address.");
            }
            return guard.Refuse(uri) is { } refusal
                ? ("JwksUri", $"{refusal}; Auth:AllowedPrivateEndpoints can name exceptions as host:port.") : null;
        }
        if (Given(options.Jwks) is { } jwks)
        {
            if (!string.IsNullOrEmpty(options.ClientSecret))
            {
                return ("Jwks", "stands beside ClientSecret: a client proves who it is in one way only.");
            }
            if (!ClientKeySet.TryParse(Encoding.UTF8.GetBytes(jwks), out var keys, out var problem))
            {
                return ("Jwks", problem);
            }
            return keys.CanVerify ? null : ("Jwks", "has no key for RS384, ES384, RS256 or ES256 with a kid.");
        }
        return options.ClientSecret is null or { Length: 0 } or { Length: >= ShortestSecret and <= LongestSecret }
            ? null : ("ClientSecret", $"must have {ShortestSecret} to {LongestSecret} characters; make one with: openssl rand -base64 32");
    }

    private static (string Setting, string Problem)? CheckUse(ClientOptions options, RegisteredScopes scopes, ClientAuthentication authentication)
    {
        var forUsers = scopes.AtLevel(ScopeLevel.Patient) || scopes.AtLevel(ScopeLevel.User) || scopes.SignIn.Length > 0;
        if (authentication == ClientAuthentication.None && (options.RedirectUris.Count == 0 || scopes.AtLevel(ScopeLevel.System)))
        {
            return ("ClientSecret", $"must have {ShortestSecret} to {LongestSecret} characters (make one with: openssl rand -base64 32), or Jwks or JwksUri be given: "
                + "only an app with RedirectUris and without system/ scopes may go without.");
        }
        if (forUsers && options.RedirectUris.Count == 0)
        {
            return ("Scope", "is wrong: patient/ and user/ scopes, openid, fhirUser, launch, offline_access and online_access need RedirectUris.");
        }
        if (!forUsers && options.RedirectUris.Count > 0)
        {
            return ("RedirectUris", "is of no use to a client that has system/ scopes only.");
        }
        return (options.MayLaunch || options.MayIntrospect) && authentication == ClientAuthentication.None
            ? (options.MayLaunch ? "MayLaunch" : "MayIntrospect", "needs a client that can prove who it is: give it a ClientSecret, Jwks or JwksUri.") : null;
    }

    private static (string Setting, string Problem)? CheckAddresses(ClientOptions options)
    {
        foreach (var (setting, list) in new[] { ("RedirectUris", options.RedirectUris), ("PostLogoutRedirectUris", options.PostLogoutRedirectUris) })
        {
            if (list.Count > MostAddresses || list.Any(static uri => !IsRedirect(uri)))
            {
                return (setting, $"must be at most {MostAddresses} absolute addresses without fragment: https, http on this machine (localhost, 127.0.0.1, [::1]), or an app's own scheme such as com.example.app:/callback.");
            }
        }
        if (options.Origins.Count > MostAddresses || options.Origins.Any(static origin => !IsOrigin(origin)))
        {
            return ("Origins", $"must be at most {MostAddresses} origins such as https://app.example, without path.");
        }
        return Given(options.LaunchUrl) is { } launch && !(IsRedirect(launch) && launch.StartsWith("http", StringComparison.Ordinal))
            ? ("LaunchUrl", "must be an https address (http only on this machine).") : null;
    }

    internal static bool IsRedirect(string text)
    {
        if (text is not { Length: > 0 and <= LongestAddress } || !Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || !uri.IsWellFormedOriginalString() || uri.Fragment.Length > 0 || text.Contains('#', StringComparison.Ordinal)
            || uri.UserInfo.Length > 0 || text.Contains('*', StringComparison.Ordinal))
        {
            return false;
        }
        return uri.Scheme == Uri.UriSchemeHttps
            || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)
            || uri.Scheme.Contains('.', StringComparison.Ordinal); // RFC 8252 7.1: a reversed domain name; keeps javascript: and data: out
    }

    private static bool IsOrigin(string text) =>
        IsRedirect(text) && new Uri(text) is var uri && uri.Scheme.StartsWith("http", StringComparison.Ordinal) && uri.GetLeftPart(UriPartial.Authority) == text;

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    // The generated text of a record would hold the secret.
    public override string ToString() => ClientId;
}
