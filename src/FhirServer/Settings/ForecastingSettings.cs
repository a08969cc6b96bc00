using Forecasting.NoShow;

namespace FhirServer.Settings;

/// <summary>Section <c>Forecasting</c>, read and checked the way every other section is.</summary>
internal static class ForecastingSettings
{
    private const string Section = "Forecasting";

    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static NoShowOptions Read(IConfiguration configuration) =>
        BoundSection.Read(Section, configuration.GetSection(Section), new NoShowOptions(), options => configuration.GetSection(Section).Bind(options));
}
