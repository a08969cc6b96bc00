using System.Net.Sockets;
using System.Text;
using FhirCore.Records;
using FhirServer.Commands;
using FhirServer.Hosting;
using FhirServer.Settings;

namespace FhirServer.Backup;

/// <summary><c>backup DIR</c>: asks the running server for a copy; where none runs, opens the store itself.</summary>
internal sealed class BackupCommand : ICommand
{
    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        if (args.IsEmpty || args.Span[0].StartsWith('-'))
        {
            throw new CommandException("Usage: backup DIR [--Storage:DataDirectory=…]. DIR must not exist yet.");
        }
        var directory = Path.GetFullPath(args.Span[0]);
        var settings = CommandSettings.Read(args[1..]);
        CommandSettings.RefuseMongoDb(settings, "mongodump --oplog, or a snapshot of its volumes");
        if (Path.Exists(directory))
        {
            throw new CommandException($"{directory} exists already; a backup goes into a new folder.");
        }
        if (!Directory.Exists(settings.RecordsDirectory))
        {
            throw new CommandException($"Storage:DataDirectory: there is no database in {settings.DataDirectory}.");
        }
        if (!await TryAskServerAsync(settings, directory, ct))
        {
            await BackUpStoppedAsync(settings, directory, ct);
        }
        await Console.Out.WriteLineAsync($"Backup written to {directory}.\nIt is encrypted: keep a copy of {settings.KeyFile} as well, in another place. Without the key it cannot be read.");
        return 0;
    }

    private static async Task<bool> TryAskServerAsync(ServerSettings settings, string directory, CancellationToken ct)
    {
        if (!ControlSocket.Fits(settings.ControlSocket) || !File.Exists(settings.ControlSocket))
        {
            return false;
        }
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(settings.ControlSocket), ct);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused)
        {
            return false; // left behind by a killed server
        }
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"backup {directory}\n"), ct);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadLineAsync(ct) switch
        {
            ControlSocket.Done => true,
            null => throw new CommandException("The running server stopped before the backup was done."),
            var problem => throw new CommandException($"The running server could not write the backup: {problem}"),
        };
    }

    private static async Task BackUpStoppedAsync(ServerSettings settings, string directory, CancellationToken ct)
    {
        try
        {
            await using var engine = Engine.OpenRocksDb(settings, TimeProvider.System, notice: null);
            await engine.BackUpAsync(directory, ct);
        }
        catch (StoreUnavailableException error)
        {
            throw new CommandException($"The database is in use, and its server does not answer on {settings.ControlSocket}: {error.Message}");
        }
    }
}
