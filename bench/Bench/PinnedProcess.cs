using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

/// <summary>A child process pinned to one core, with its CPU time and memory as the kernel counts them. Ended by its id.</summary>
internal sealed class PinnedProcess : IAsyncDisposable
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private PinnedProcess(Process process, int port)
    {
        _process = process;
        Port = port;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Port { get; }

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

    /// <summary>User and system time so far, in seconds.</summary>
    public double CpuSeconds
    {
        get
        {
            // The second field, the name, may hold spaces: count from its closing bracket.
            var stat = File.ReadAllText($"/proc/{_process.Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <param name="field"><c>VmRSS</c> now, <c>VmHWM</c> at the highest.</param>
    public double Megabytes(string field) =>
        long.Parse(
            File.ReadLines($"/proc/{_process.Id}/status").Single(line => line.StartsWith(field + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) / 1024.0;

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public static PinnedProcess Start(string cores, int port, IEnumerable<string> command, IEnumerable<KeyValuePair<string, string>> environment)
    {
        // taskset replaces itself by the command, so the id stays the command's.
        var start = new ProcessStartInfo("taskset", ["-c", cores, .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }
        return new(Process.Start(start) ?? throw new BenchException("taskset did not start."), port);
    }

    /// <returns>Time until the path answered 200, counted from the call.</returns>
    public async Task<TimeSpan> UntilReadyAsync(string path)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var waited = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited || waited.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new BenchException($"The process is not ready. It said:\n{Output}");
            }
            try
            {
                using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{Port}{path}"));
                if (response.IsSuccessStatusCode)
                {
                    return waited.Elapsed;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet.
            }
            await Task.Delay(5);
        }
    }

    /// <summary>Stands still until what is returned is disposed of: another has the core to itself.</summary>
    public async Task<IAsyncDisposable> PauseAsync()
    {
        await SignalAsync("STOP");
        return new Pause(this);
    }

    private async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    private sealed class Pause(PinnedProcess paused) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await paused.SignalAsync("CONT");
    }

    public async Task<int> UntilExitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
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
}
