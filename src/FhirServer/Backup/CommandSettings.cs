using FhirServer.Settings;

namespace FhirServer.Backup;

/// <summary>The same settings as the server's, from the same places, for commands that only need the data folder.</summary>
internal static class CommandSettings
{
    public static ServerSettings Read(ReadOnlyMemory<string> args) => Open(args).Settings;

    public static (IConfiguration Configuration, ServerSettings Settings) Open(ReadOnlyMemory<string> args)
    {
        var configuration = WebApplication.CreateSlimBuilder(args.ToArray()).Configuration;
        configuration.AddSecretFiles();
        return (configuration, ServerSettings.Read(configuration));
    }
}
