using FhirServer.Settings;

namespace FhirServer.Demo;

/// <param name="Seed"><c>Demo:Seed</c>: another number makes other patients.</param>
/// <param name="NewSecret"><c>Demo:NewSecret</c>: give the demo client another secret and its users other passwords, and print them.</param>
internal sealed record DemoOptions(int Seed, bool NewSecret)
{
    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static DemoOptions Read(IConfiguration configuration)
    {
        var read = new SettingsReader(configuration);
        var options = new DemoOptions(
            (int)read.Number("Demo:Seed", DemoSeeder.DefaultSeed, 0, int.MaxValue),
            read.OneOf("Demo:NewSecret", "false", ["false", "true"]) == "true");
        read.RefuseUnknownKeys("Demo");
        read.ThrowIfAny();
        return options;
    }
}
