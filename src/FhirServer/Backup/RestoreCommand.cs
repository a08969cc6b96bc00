using Events.Kafka.Topics;
using FhirServer.Commands;
using FhirServer.Hosting;
using Storage.RocksDb;

namespace FhirServer.Backup;

/// <summary><c>restore DIR</c>: makes a backup the database of an empty data folder, after proving that the key opens it.</summary>
internal sealed class RestoreCommand : ICommand
{
    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        if (args.IsEmpty || args.Span[0].StartsWith('-'))
        {
            throw new CommandException("Usage: restore DIR [--Storage:DataDirectory=…]. The data folder must hold no database.");
        }
        var backup = Path.GetFullPath(args.Span[0]);
        var settings = CommandSettings.Read(args[1..]);
        CommandSettings.RefuseMongoDb(settings, "mongorestore");
        if (!Directory.Exists(backup))
        {
            throw new CommandException($"There is no folder {backup}.");
        }
        if (Directory.Exists(settings.RecordsDirectory) && Directory.EnumerateFileSystemEntries(settings.RecordsDirectory).Any())
        {
            throw new CommandException($"Storage:DataDirectory: {settings.DataDirectory} holds a database already. Move it away first; a restore never overwrites.");
        }
        if (!File.Exists(settings.KeyFile))
        {
            throw new CommandException($"Keys:File:Path: {settings.KeyFile} is missing. Put back the key file that the backup was made with; without it nobody can read the backup.");
        }
        RocksDbRecordStore.Restore(backup, settings.RecordsDirectory);
        try
        {
            await using var store = await OpenStore.OpenAsync(settings, TimeProvider.System, notice: null, ct); // the engine's checks and the key are proven
            await Timeline.EndAsync(store.Records, ct); // what Kafka was told since the backup did not happen
        }
        catch
        {
            Directory.Delete(settings.RecordsDirectory, recursive: true);
            throw;
        }
        await Console.Out.WriteLineAsync($"Restored into {settings.DataDirectory}.");
        return 0;
    }
}
