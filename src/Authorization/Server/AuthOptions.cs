namespace Authorization.Server;

/// <summary>Section <c>Auth</c> of the settings.</summary>
public sealed class AuthOptions
{
    public const string Section = "Auth";

    /// <summary>How long an access token is good: 1 minute to 1 hour. SMART Backend Services advises at most 5 minutes.</summary>
    public TimeSpan AccessTokenLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Lets every request in without a token, with all system scopes. For trying things out on one's own machine: the start is
    /// refused unless every address the server listens on is a loopback address.
    /// </summary>
    public bool AllowAnonymousOnLoopback { get; set; }

    /// <summary>Clients known from the start. One that disappears from here is removed at the next start.</summary>
    public IList<ClientOptions> Clients { get; } = [];
}

/// <summary>A client that gets tokens by <c>client_credentials</c>.</summary>
public sealed class ClientOptions
{
    /// <summary>1 to 100 letters, digits, '-', '.', '_' and '~'.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>At least 16 characters.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>The most the client may be granted: <c>system/</c> scopes, separated by spaces.</summary>
    public string Scope { get; set; } = "";

    /// <summary>Not supported yet: a value stops the start.</summary>
    public string? JwksUri { get; set; }

    /// <summary>Not supported yet: a value stops the start.</summary>
    public IList<string> RedirectUris { get; } = [];
}
