using FhirServer.Commands;
using FhirServer.Settings;

namespace FhirServer.Backup;

/// <summary>The same settings as the server's, from the same places, for commands that only need the data folder.</summary>
internal static class CommandSettings
{
    public static ServerSettings Read(ReadOnlyMemory<string> args) => Open(args).Settings;

    /// <exception cref="CommandException">The records are not in the data folder.</exception>
    public static void RefuseMongoDb(ServerSettings settings, string instead)
    {
        if (settings.Storage.Provider == StorageProvider.MongoDb)
        {
            throw new CommandException($"Storage:Provider: MongoDB is backed up and restored with its own tools ({instead}); keep {settings.KeyFile} with the copy.");
        }
    }

    public static (IConfiguration Configuration, ServerSettings Settings) Open(ReadOnlyMemory<string> args)
    {
        var configuration = WebApplication.CreateSlimBuilder(args.ToArray()).Configuration;
        configuration.AddSecretFiles();
        return (configuration, ServerSettings.Read(configuration));
    }
}
