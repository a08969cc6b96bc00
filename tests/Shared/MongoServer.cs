using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Tests.Shared;

/// <summary>
/// A MongoDB replica set for tests: the one that <c>MONGODB_URI</c> names, or else a stand-in that the folder <c>shared</c> beside the
/// repository knows how to start. Where there is neither, the test is skipped and says what it needs.
/// </summary>
/// <remarks>The common server runs until this process ends. Each test takes a database of its own (<see cref="NewDatabase"/>).</remarks>
public sealed class MongoServer : IDisposable
{
    private const string Needed = "needs MongoDB: set MONGODB_URI to a replica set for tests, or put the folder shared (with mongodb/start) beside the repository";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly Lock Gate = new();
    private static MongoServer? _common;

    private readonly string _folder;
    private readonly bool _durable;
    private bool _running;

    private MongoServer(string folder, int port, bool durable)
    {
        _folder = folder;
        _durable = durable;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Empty before the first start.</summary>
    public string Uri { get; private set; } = "";

    /// <summary>Why <see cref="UriOrSkip"/> would skip; null where it gives a server.</summary>
    public static string? WhyAbsent => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("MONGODB_URI")) && SharedFolder.Find("mongodb") is null ? Needed : null;

    /// <summary>Connection string of the server that all tests of this process share, or the test is skipped.</summary>
    public static string UriOrSkip()
    {
        if (Environment.GetEnvironmentVariable("MONGODB_URI") is { Length: > 0 } told)
        {
            return told;
        }
        lock (Gate)
        {
            return (_common ??= Begin(durable: false)).Uri;
        }
    }

    /// <summary>True where <see cref="UriOrSkip"/> gives the stand-in, which lacks some of what MongoDB has.</summary>
    public static bool IsStandIn => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("MONGODB_URI"));

    /// <summary>A server of the caller's own, which it may stop and start; its data survives that. Or the test is skipped.</summary>
    public static MongoServer OwnOrSkip() => Begin(durable: true);

    /// <summary>Name of a database that no other test uses.</summary>
    public static string NewDatabase() => $"test_{Guid.NewGuid():N}";

    /// <summary>Starts it again where it was.</summary>
    public void Start()
    {
        if (!TryRun("start", out var output))
        {
            throw new InvalidOperationException($"The MongoDB stand-in did not start on port {Port}: {output}");
        }
        _running = true;
        Uri = SharedFolder.LastLine(output);
    }

    public void Stop()
    {
        if (_running)
        {
            _running = false;
            TryRun("stop", out _);
        }
    }

    public void Dispose() => Stop();

    private static MongoServer Begin(bool durable)
    {
        var folder = SharedFolder.Find("mongodb");
        Assert.SkipWhen(folder is null, Needed);
        for (var attempt = 1; ; attempt++)
        {
            var server = new MongoServer(folder, FreePort.Draw(), durable);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Stop();
            try
            {
                server.Start();
                return server;
            }
            catch (InvalidOperationException) when (attempt < 5)
            {
                // Somebody else took the port meanwhile.
            }
        }
    }

    private bool TryRun(string script, out string output)
    {
        var start = new ProcessStartInfo(Path.Combine(_folder, script), [$"{Port}", .. _durable && script == "start" ? ["--durable"] : Array.Empty<string>()]);
        start.Environment["DOCUMENTDB_GATEWAY_OPTIONS"] = "--txn-lifetime-seconds 12"; // what docs/many-processes.md asks of a replica set
        return SharedFolder.TryRun(start, Patience, out output);
    }
}
