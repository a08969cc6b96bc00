using Auditing;

namespace FhirServer.Settings;

/// <summary>Section <c>Audit</c>.</summary>
internal static class AuditSettings
{
    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static AuditOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Audit");
        return BoundSection.Read("Audit", section, new AuditOptions(), options => section.Bind(options));
    }
}
