namespace Authorization.SelfRegistration;

/// <summary><c>Auth:Registration</c>: apps that register themselves, https://www.rfc-editor.org/rfc/rfc7591. They can do nothing until an administrator approves.</summary>
public sealed class SelfRegistrationOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>The most such an app may ask for, as <c>Auth:Clients:N:Scope</c>. Backend services need <c>system/</c> scopes here.</summary>
    public string Scope { get; set; } = "openid fhirUser launch launch/patient offline_access online_access patient/*.cruds user/*.cruds";

    /// <summary>How long a registration waits for an administrator before it is forgotten: 1 hour to 90 days.</summary>
    public TimeSpan PendingLifetime { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How many may wait at once: 1 to 10,000. More are refused, so that strangers cannot fill the store.</summary>
    public int MostPending { get; set; } = 200;

    /// <summary>Whose software statements approve what they say.</summary>
    public IList<StatementIssuerOptions> StatementIssuers { get; } = [];
}

/// <summary>Somebody who vouches for apps by software statements, https://www.rfc-editor.org/rfc/rfc7591#section-2.3.</summary>
public sealed class StatementIssuerOptions
{
    /// <summary><c>iss</c> of its statements.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>Where its public keys are: an https address of the public internet, or one that <c>Auth:AllowedPrivateEndpoints</c> names.</summary>
    public string? JwksUri { get; set; }

    /// <summary>Its public keys themselves: a JWK set as JSON.</summary>
    public string? Jwks { get; set; }
}
