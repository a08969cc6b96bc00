using System.Net.Sockets;
using System.Text;
using FhirCore.Records;
using FhirServer.Hosting;
using FhirServer.Observability;
using FhirServer.Settings;

namespace FhirServer.Backup;

/// <summary>
/// Takes commands for a running server over a socket in the data folder that only the server's own user may open: who can use it
/// could read the folder anyway. One line in, one line out.
/// </summary>
internal sealed class ControlSocket(ServerSettings settings, OpenStore store, ILogger<ControlSocket> logger) : BackgroundService
{
    public const string Done = "ok";

    /// <summary>Longest path that a socket address holds on Linux.</summary>
    public const int MostPathBytes = 107;

    public static bool Fits(string path) => Encoding.UTF8.GetByteCount(path) <= MostPathBytes;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (store.Backup is null)
        {
            return; // nothing to ask for: the engine has tools of its own
        }
        if (!Fits(settings.ControlSocket))
        {
            ControlLog.TooLong(logger, MostPathBytes);
            return;
        }
        try
        {
            await ListenAsync(stoppingToken);
        }
        catch (Exception error) when (error is SocketException or IOException or UnauthorizedAccessException)
        {
            // Not every file system has sockets. Requests are answered all the same.
            ControlLog.NoSocket(logger, Fault.Describe(error));
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        File.Delete(settings.ControlSocket); // a killed server leaves it behind; the engine's lock says that nobody else is here
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(settings.ControlSocket));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(settings.ControlSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        listener.Listen(4);
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                using var connection = await listener.AcceptAsync(stoppingToken);
                await ServeAsync(connection, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        finally
        {
            File.Delete(settings.ControlSocket);
        }
    }

    private async Task ServeAsync(Socket connection, CancellationToken ct)
    {
        try
        {
            await using var stream = new NetworkStream(connection);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var answer = await CarryOutAsync(await reader.ReadLineAsync(ct) ?? "", ct);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer + "\n"), ct);
        }
        catch (IOException)
        {
            // Whoever asked has gone.
        }
    }

    private async Task<string> CarryOutAsync(string line, CancellationToken ct)
    {
        if (line.Split(' ', 2) is not ["backup", { Length: > 0 } directory])
        {
            return "There is no such command.";
        }
        try
        {
            await store.Backup!.BackUpAsync(directory, ct);
            ControlLog.BackedUp(logger);
            return Done;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or StoreUnavailableException or ArgumentException)
        {
            ControlLog.BackupFailed(logger, Fault.Describe(error));
            return error.Message.ReplaceLineEndings(" ");
        }
    }
}

internal static partial class ControlLog
{
    [LoggerMessage(20, LogLevel.Warning, "Storage:DataDirectory is too long for a control socket ({Most} bytes): back up with the server stopped.")]
    public static partial void TooLong(ILogger logger, int most);

    [LoggerMessage(23, LogLevel.Warning, "There is no control socket: back up with the server stopped. {Fault}")]
    public static partial void NoSocket(ILogger logger, string fault);

    [LoggerMessage(21, LogLevel.Information, "A backup was written.")]
    public static partial void BackedUp(ILogger logger);

    [LoggerMessage(22, LogLevel.Error, "A backup failed: {Fault}")]
    public static partial void BackupFailed(ILogger logger, string fault);
}
