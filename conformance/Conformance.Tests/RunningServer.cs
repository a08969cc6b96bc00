using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tests.Shared;

namespace Conformance.Tests;

/// <summary>
/// The server as a user starts it: a process of its own from the build output of <c>src/FhirServer</c>, on a free loopback port.
/// Nothing of it is referenced; whoever runs these tests builds the solution first.
/// </summary>
public sealed class RunningServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(4);
    private readonly StringBuilder _output = new();
    private readonly Process _process;
    private bool _disposed;

    private RunningServer(Process process, int port)
    {
        _process = process;
        Base = new($"http://127.0.0.1:{port}/fhir/");
    }

    /// <summary>With a slash at the end.</summary>
    public Uri Base { get; }

    public bool HasExited => _disposed || _process.HasExited;

    /// <summary>What it has written so far, errors too.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <returns>The server, ready to answer.</returns>
    /// <param name="settings">By their names with colons: <c>Auth:Clients:0:ClientId</c>.</param>
    /// <param name="fixedPort">Where it listens; null draws a free one.</param>
    public static async Task<RunningServer> StartAsync(
        string dataDirectory, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> settings, CancellationToken ct, int? fixedPort = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = fixedPort ?? FreePort.Draw();
            var server = new RunningServer(
                Launch(arguments, [new("urls", $"http://127.0.0.1:{port}"), new("Server:BaseUrl", $"http://127.0.0.1:{port}/fhir"), new("Storage:DataDirectory", dataDirectory), .. settings]), port);
            server.Listen();
            try
            {
                await server.ReadyAsync(ct);
                return server;
            }
            catch (Exception e)
            {
                await server.DisposeAsync();
                if (attempt < 5 && e is InvalidOperationException && server.Output.Contains("address already in use", StringComparison.Ordinal))
                {
                    continue; // somebody else took the port in between
                }
                throw;
            }
        }
    }

    /// <summary>Runs a command of the server (<c>import</c>, <c>backup</c>) to its end.</summary>
    /// <param name="killWhen">Kills it, as kill -9 does, once it has written this.</param>
    /// <param name="killIf">Kills it once this is so.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string dataDirectory, IEnumerable<string> arguments, CancellationToken ct, string? killWhen = null, Func<bool>? killIf = null)
    {
        await using var server = new RunningServer(Launch(arguments, [new("Storage:DataDirectory", dataDirectory)]), port: 0);
        server.Listen();
        killIf ??= killWhen is null ? null : () => server.Output.Contains(killWhen, StringComparison.Ordinal);
        while (killIf is not null && !server._process.HasExited && !killIf())
        {
            await Task.Delay(1, ct);
        }
        if (killIf is not null)
        {
            server._process.Kill();
        }
        await server._process.WaitForExitAsync(ct);
        return (server._process.ExitCode, server.Output);
    }

    /// <summary>The folder that holds <c>Fhir.sln</c>.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Sends SIGTERM, as whoever manages the process does.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <returns>Its exit code.</returns>
    /// <exception cref="TimeoutException">It has not ended.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan limit, CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct).WaitAsync(limit, ct);
        return _process.ExitCode;
    }

    /// <summary>As kill -9 does; the data folder stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static Process Launch(IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> settings)
    {
        var start = new ProcessStartInfo("dotnet", [ServerAssembly(), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (key, value) in settings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        var process = Process.Start(start) ?? throw new InvalidOperationException("The server did not start.");
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Built in the configuration these tests were built in.</summary>
    private static string ServerAssembly()
    {
        var configuration = AppContext.BaseDirectory.Replace('\\', '/').Contains("/Release/", StringComparison.OrdinalIgnoreCase) ? "Release" : "Debug";
        var path = Path.Combine(RepositoryRoot, "src", "FhirServer", "bin", configuration, "net10.0", "FhirServer.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"Build the solution first (dotnet build Fhir.sln -c {configuration}).", path);
    }

    private void Listen()
    {
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text)
        {
            lock (_output)
            {
                _output.AppendLine(text);
            }
        }
    }

    private async Task ReadyAsync(CancellationToken ct)
    {
        using var http = new HttpClient();
        var waited = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited || waited.Elapsed > StartLimit)
            {
                throw new InvalidOperationException($"The server is not ready. It said:\n{Output}");
            }
            try
            {
                // Before it says that it listens, whoever answers there may be somebody else.
                if (Output.Contains($"Now listening on: {Base.GetLeftPart(UriPartial.Authority)}", StringComparison.Ordinal))
                {
                    using var response = await http.GetAsync(new Uri(Base, "/health/ready"), ct);
                    if (response.StatusCode == HttpStatusCode.OK)
                    {
                        return;
                    }
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            await Task.Delay(50, ct);
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Fhir.sln")))
            {
                return folder.FullName;
            }
        }
        throw new DirectoryNotFoundException("No folder above the test assembly holds Fhir.sln.");
    }
}
