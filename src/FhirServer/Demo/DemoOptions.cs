using FhirServer.Settings;

namespace FhirServer.Demo;

/// <param name="Seed"><c>Demo:Seed</c>: another number makes other patients.</param>
/// <param name="NewSecret"><c>Demo:NewSecret</c>: give the demo client another secret and its users other passwords, and print them.</param>
/// <param name="HistoryWeeks"><c>Demo:HistoryWeeks</c>: weeks of past visits that are written in the background.</param>
internal sealed record DemoOptions(int Seed, bool NewSecret, int HistoryWeeks)
{
    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static DemoOptions Read(IConfiguration configuration)
    {
        var read = new SettingsReader(configuration);
        var options = new DemoOptions(
            (int)read.Number("Demo:Seed", DemoSeeder.DefaultSeed, 0, int.MaxValue),
            read.OneOf("Demo:NewSecret", "false", ["false", "true"]) == "true",
            (int)read.Number("Demo:HistoryWeeks", 105, 0, 520));
        read.RefuseUnknownKeys("Demo");
        read.ThrowIfAny();
        return options;
    }
}
