using FhirCore.Records;
using FhirServer.Commands;
using FhirServer.Hosting;

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
        var arriving = settings.RecordsDirectory + ".restoring";
        if (Directory.Exists(arriving))
        {
            Directory.Delete(arriving, recursive: true);
        }
        try
        {
            Copy(backup, arriving);
            Directory.Move(arriving, Emptied(settings.RecordsDirectory));
            await using (await OpenStore.OpenAsync(settings, TimeProvider.System, ct))
            {
                // Opened and closed: the lock, the engine's checks and the key are proven.
            }
        }
        catch
        {
            Remove(arriving);
            Remove(settings.RecordsDirectory);
            throw;
        }
        await Console.Out.WriteLineAsync($"Restored into {settings.DataDirectory}.");
        return 0;
    }

    private static string Emptied(string directory)
    {
        Remove(directory);
        return directory;
    }

    private static void Remove(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
        foreach (var directory in Directory.EnumerateDirectories(from))
        {
            Copy(directory, Path.Combine(to, Path.GetFileName(directory)));
        }
    }
}
