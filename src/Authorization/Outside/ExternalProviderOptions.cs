namespace Authorization.Outside;

/// <summary>
/// <c>Auth:ExternalProviders:N</c>: an OpenID provider that people may sign in by, such as the hospital's own. It is told the redirect
/// address <c>{issuer of this server}/outside/{Name}/return</c>.
/// </summary>
public sealed class ExternalProviderOptions
{
    /// <summary>1 to 40 of a-z, 0-9 and '-': part of addresses. Once people have signed in by it, it stays.</summary>
    public string Name { get; set; } = "";

    /// <summary>What people know it by; its name where there is none. At most 60 characters.</summary>
    public string? Title { get; set; }

    /// <summary>Letter by letter as its discovery document says it: an https address of the public internet, or one that <c>Auth:AllowedPrivateEndpoints</c> names.</summary>
    public string Issuer { get; set; } = "";

    public string ClientId { get; set; } = "";

    /// <summary>Empty where the provider knows us as a public client: then PKCE alone stands for us.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>What is asked for, separated by spaces; <c>openid</c> is among it.</summary>
    public string Scopes { get; set; } = "openid profile email";

    /// <summary>
    /// Further parameters of the request, such as <c>acr_values</c> or <c>domain_hint</c>; <c>aud</c> with its FHIR base, where the provider
    /// is a SMART server such as this one.
    /// </summary>
    public IDictionary<string, string> Parameters { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Claim of the id token that holds a practitioner's number, with <see cref="PractitionerSystem"/>. Who brings the number of exactly one
    /// active Practitioner is let in as that practitioner. None by default: then administrators decide.
    /// </summary>
    public string? PractitionerClaim { get; set; }

    /// <summary><c>Practitioner.identifier.system</c> of that number.</summary>
    public string? PractitionerSystem { get; set; }

    /// <summary>Id of the Organization that such practitioners hold their role at; the whole server where there is none.</summary>
    public string? Organization { get; set; }

    /// <summary>
    /// The provider makes sure that an address it calls verified is its owner's: it opens the account, or the invitation, of that address.
    /// An address that is not verified never does.
    /// </summary>
    public bool LinkByVerifiedEmail { get; set; }

    /// <summary>Values of <c>amr</c> that count as a second factor here, such as <c>mfa</c>; none by default.</summary>
    public IList<string> SecondFactorMethods { get; } = [];

    /// <summary>Values of <c>acr</c> that do.</summary>
    public IList<string> SecondFactorClasses { get; } = [];
}
