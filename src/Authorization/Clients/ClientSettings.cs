using System.Collections.Immutable;
using Authorization.Scopes;
using Authorization.Stores;
using OAuth = OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Clients;

/// <summary>How a client proves who it is.</summary>
public enum ClientAuthentication
{
    /// <summary>It runs where nothing can be kept secret: a browser, a phone.</summary>
    None,
    Secret,

    /// <summary>By assertions that it signs.</summary>
    Keys,
}

/// <summary>What we keep of a client in the settings of its OpenIddict record.</summary>
internal static class ClientSettings
{
    public const string Source = "source";
    public const string Authentication = "authentication";
    public const string Jwks = "jwks";
    public const string JwksUri = "jwks_uri";
    public const string LaunchUrl = "launch_url";
    public const string Origins = "origins";
    public const string MayLaunch = "may_launch";
    public const string MayIntrospect = "may_introspect";
    public const string Waiting = "waiting";
    public const string Registration = "registration";
    public const string RegistrationToken = "registration_token";
    public const string RegisteredAt = "registered_at";
    public const string Yes = "yes";

    public const string FromSettings = "settings";
    public const string FromItself = "itself";

    /// <summary>False for a client that registered itself and waits for an administrator.</summary>
    public static bool IsApproved(OAuthApplication application) => Of(application, Waiting) != Yes;

    public static (string? Jwks, string? JwksUri) KeysOf(OAuthApplication application) => (Of(application, Jwks), Of(application, JwksUri));

    // Records from before there was a choice have secrets.
    public static ClientAuthentication AuthenticationOf(OAuthApplication application) =>
        Enum.TryParse<ClientAuthentication>(Of(application, Authentication), out var method) ? method : ClientAuthentication.Secret;

    public static bool IsFromSettings(OAuthApplication application) => Of(application, Source) == FromSettings;

    public static bool HasRegisteredItself(OAuthApplication application) => Of(application, Source) == FromItself;

    public static bool IsTrustedToLaunch(OAuthApplication application) => Of(application, MayLaunch) == Yes;

    public static bool IsResourceServer(OAuthApplication application) => Of(application, MayIntrospect) == Yes;

    /// <summary>The scopes a client is registered with.</summary>
    public static RegisteredScopes ScopesOf(OAuthApplication application)
    {
        var texts = (application.Permissions ?? [])
            .Where(static permission => permission.StartsWith(OAuth.Permissions.Prefixes.Scope, StringComparison.Ordinal))
            .Select(static permission => permission[OAuth.Permissions.Prefixes.Scope.Length..])
            .ToArray();
        return new(SmartScopes.Parse(string.Join(' ', texts)), [.. texts.Where(static text => SignInScopes.All.Contains(text))]);
    }

    /// <summary>Where the client's own pages are: those of its redirect addresses, and what it names besides.</summary>
    public static ImmutableArray<string> OriginsOf(OAuthApplication application) =>
    [
        .. (application.RedirectUris ?? [])
            .Select(static uri => new Uri(uri))
            .Where(static uri => uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
            .Select(static uri => uri.GetLeftPart(UriPartial.Authority))
            .Concat((Of(application, Origins) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Distinct(StringComparer.Ordinal),
    ];

    public static string? Of(OAuthApplication application, string key) => application.Settings?.GetValueOrDefault(key);
}
