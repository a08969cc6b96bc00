using SchedulingOperations;

namespace FhirServer.Settings;

/// <summary>Section <c>Scheduling</c>, read and checked the way every other section is.</summary>
internal static class SchedulingSettings
{
    private const string Section = "Scheduling";

    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static SchedulingOptions Read(IConfiguration configuration) =>
        BoundSection.Read(Section, null, new SchedulingOptions(), options => configuration.GetSection(Section).Bind(options));
}
