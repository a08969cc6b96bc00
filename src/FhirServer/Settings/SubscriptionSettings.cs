using Subscriptions;

namespace FhirServer.Settings;

/// <summary>Section <c>Subscriptions</c>, read and checked the way every other section is.</summary>
internal static class SubscriptionSettings
{
    private const string Section = "Subscriptions";

    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static SubscriptionOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        return BoundSection.Read(Section, section, new SubscriptionOptions(), options => section.Bind(options));
    }
}
