using Authorization.Outside;
using Authorization.SelfRegistration;

namespace Authorization.Server;

/// <summary>Section <c>Auth</c> of the settings.</summary>
public sealed class AuthOptions
{
    public const string Section = "Auth";

    /// <summary>How long an access token is good: 1 minute to 1 hour. SMART Backend Services advises at most 5 minutes.</summary>
    public TimeSpan AccessTokenLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a refresh token for <c>offline_access</c> is good after its last use: 1 hour to 366 days. One for <c>online_access</c> ends
    /// with its session besides.
    /// </summary>
    public TimeSpan RefreshTokenLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long a key signs before the next one takes over: 2 to 730 days.</summary>
    public TimeSpan KeyRotation { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Where apps find how to look like the EHR they run in: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#styling. None by default.</summary>
    public string? SmartStyleUrl { get; set; }

    /// <summary>
    /// Lets every request in without a token, with all system scopes. For trying things out on one's own machine: the start is
    /// refused unless every address the server listens on is a loopback address.
    /// </summary>
    public bool AllowAnonymousOnLoopback { get; set; }

    /// <summary>
    /// <c>host:port</c> or network (CIDR) that key sets of clients may be fetched from although it is private; <c>host:port</c> also over
    /// plain http. None by default.
    /// </summary>
    public IList<string> AllowedPrivateEndpoints { get; } = [];

    public BrandOptions Brand { get; } = new();

    public SelfRegistrationOptions Registration { get; } = new();

    /// <summary>Outside OpenID providers that people may sign in by.</summary>
    public IList<ExternalProviderOptions> ExternalProviders { get; } = [];

    /// <summary>Clients known from the start. One that disappears from here is removed at the next start.</summary>
    public IList<ClientOptions> Clients { get; } = [];
}

/// <summary>
/// A client known from the start: a backend service (system/ scopes and a secret or keys), or an app that acts for users
/// (RedirectUris; with a secret, with keys, or public with neither).
/// </summary>
public sealed class ClientOptions
{
    /// <summary>1 to 100 letters, digits, '-', '.', '_' and '~'.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>At least 16 characters; empty for a client with keys and for a public one.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>Where the client's public keys are: an https address of the public internet, or one that <see cref="AuthOptions.AllowedPrivateEndpoints"/> names.</summary>
    public string? JwksUri { get; set; }

    /// <summary>The client's public keys themselves: a JWK set as JSON.</summary>
    public string? Jwks { get; set; }

    /// <summary>The most the client may be granted, separated by spaces: resource scopes of all levels, openid, fhirUser, launch, launch/patient, offline_access, online_access.</summary>
    public string Scope { get; set; } = "";

    /// <summary>Where the answers of the authorize page may go, letter by letter: at most 20.</summary>
    public IList<string> RedirectUris { get; } = [];

    /// <summary>Where a browser may go after signing out: at most 20.</summary>
    public IList<string> PostLogoutRedirectUris { get; } = [];

    /// <summary>Origins of the app's pages beside those of its redirect addresses, for CORS.</summary>
    public IList<string> Origins { get; } = [];

    /// <summary>What users know the app by; its id where there is none. At most 100 characters.</summary>
    public string? Name { get; set; }

    /// <summary>Where an EHR launches the app.</summary>
    public string? LaunchUrl { get; set; }

    /// <summary>The client is an EHR: with a token of its own it may launch apps in a patient's context at <c>/auth/launch</c>.</summary>
    public bool MayLaunch { get; set; }

    /// <summary>The client is a resource server: it may introspect every token, not only its own.</summary>
    public bool MayIntrospect { get; set; }
}
