namespace Authorization.Server;

/// <summary>
/// <c>Auth:Brand</c>: by what name people know who runs this server, https://hl7.org/fhir/smart-app-launch/user-access-brands.html. Without
/// a name there is no brand Bundle.
/// </summary>
public sealed class BrandOptions
{
    public string Name { get; set; } = "";

    /// <summary>Needed beside a name: an absolute https or http address, which also identifies the brand.</summary>
    public string Website { get; set; } = "";

    /// <summary>A square picture.</summary>
    public string? LogoUrl { get; set; }

    /// <summary>Name of the patient portal; the brand's where there is none.</summary>
    public string? PortalName { get; set; }

    /// <summary>Where patients sign in; the website where there is none.</summary>
    public string? PortalUrl { get; set; }

    internal bool IsSet => Name.Length > 0;

    /// <returns>Names of settings that are no usable addresses.</returns>
    internal IEnumerable<string> Wrong()
    {
        if (!IsSet)
        {
            return [];
        }
        (string Name, string? Value)[] all = [(nameof(Website), Website), (nameof(LogoUrl), LogoUrl ?? Website), (nameof(PortalUrl), PortalUrl ?? Website)];
        return all.Where(setting => !(Uri.TryCreate(setting.Value, UriKind.Absolute, out var address) && address.Scheme is "https" or "http")).Select(setting => setting.Name);
    }
}
