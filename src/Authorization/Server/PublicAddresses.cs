using Microsoft.Extensions.Configuration;

namespace Authorization.Server;

/// <summary>The addresses that clients know this server by. They come from a setting, never from the Host header of a request.</summary>
public sealed class PublicAddresses
{
    public const string BaseUrlKey = "Server:BaseUrl";
    public const string DefaultBaseUrl = "http://localhost:8080/fhir";

    /// <summary>Where this server answers, whatever stands before it: the addresses below end in it.</summary>
    public const string LocalPath = "/auth";

    private PublicAddresses(string fhirBase, string issuer)
    {
        FhirBase = fhirBase;
        Issuer = issuer;
    }

    /// <summary>The FHIR base without a slash at its end: the audience of access tokens.</summary>
    public string FhirBase { get; }

    /// <summary>Whether a client means this server: its base, or a dialect's below it, with or without a slash at the end.</summary>
    public bool IsFhirBase(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var plain = address.EndsWith('/') ? address[..^1] : address;
        return plain == FhirBase || plain == FhirBase + "/ihe" || plain == FhirBase + "/isik";
    }

    /// <summary>The authorization server, next to the FHIR base: <c>http://localhost:8080/auth</c>.</summary>
    public string Issuer { get; }

    /// <summary>Path of <see cref="Issuer"/>, as browsers know it: links and redirects of the pages begin with it.</summary>
    public string PublicPath => new Uri(Issuer).AbsolutePath;

    /// <summary>Scheme, host and port of <see cref="Issuer"/>, as the <c>Origin</c> header has them.</summary>
    public string Origin => new Uri(Issuer).GetLeftPart(UriPartial.Authority);

    public string TokenEndpoint => $"{Issuer}/token";

    public string KeysEndpoint => $"{Issuer}/jwks";

    public string AuthorizeEndpoint => $"{Issuer}/authorize";

    public string IntrospectionEndpoint => $"{Issuer}/introspect";

    public string RevocationEndpoint => $"{Issuer}/revoke";

    /// <summary>Base of the endpoint where apps keep their states, next to the FHIR base.</summary>
    public string AppState => $"{Issuer[..^LocalPath.Length]}/app-state";

    /// <summary>Where apps register themselves.</summary>
    public string RegistrationEndpoint => $"{Issuer}/clients";

    /// <summary>Where an EHR launches apps.</summary>
    public string LaunchEndpoint => $"{Issuer}/launch";

    /// <summary>Of user-access brands; public.</summary>
    public string BrandBundle => $"{Issuer}/brands";

    /// <summary>Where users see and remove their apps.</summary>
    public string AppsPage => $"{Issuer}/apps";

    public string EndSessionEndpoint => $"{Issuer}/end-session";

    /// <exception cref="InvalidOperationException">The setting is no usable address.</exception>
    public static PublicAddresses From(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Of(configuration[BaseUrlKey] is { Length: > 0 } given ? given : DefaultBaseUrl);
    }

    /// <exception cref="InvalidOperationException">It is no usable address.</exception>
    public static PublicAddresses Of(string baseUrl)
    {
        if (!Uri.TryCreate(baseUrl, UriKind.Absolute, out var uri)
            || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            throw new InvalidOperationException($"{BaseUrlKey} must be an absolute http or https address without query, such as {DefaultBaseUrl}.");
        }
        var fhirBase = uri.AbsoluteUri.TrimEnd('/');
        var parent = uri.AbsolutePath.TrimEnd('/');
        parent = parent.Length == 0 ? parent : parent[..parent.LastIndexOf('/')];
        return new(fhirBase, $"{uri.GetLeftPart(UriPartial.Authority)}{parent}{LocalPath}");
    }
}
