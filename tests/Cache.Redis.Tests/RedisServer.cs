using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tests.Shared;

namespace Cache.Redis.Tests;

/// <summary>A <c>redis-server</c> process on a free loopback port, with a folder of its own.</summary>
public sealed class RedisServer : IDisposable
{
    public const string Program = "redis-server";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);
    private readonly string[] _arguments;
    private Process? _process;

    private RedisServer(int port, string[] arguments)
    {
        Port = port;
        _arguments = arguments;
    }

    public int Port { get; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    public string Folder { get; } = Directory.CreateTempSubdirectory("fhir-redis-").FullName;

    public int Id => _process!.Id;

    /// <summary>Skips the test where the program is missing.</summary>
    public static void Need() =>
        Assert.SkipUnless(IsThere, $"{Program} is not installed: apt-get install {Program}");

    public static bool IsThere =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, Program)));

    /// <param name="arguments">As on the command line, such as <c>--cluster-enabled</c>, <c>yes</c>.</param>
    public static async Task<RedisServer> StartAsync(params string[] arguments)
    {
        Need();
        return await StartedAsync(new(FreePort.Draw(), arguments));
    }

    /// <summary>One that watches others: it reads and rewrites a configuration file of its own.</summary>
    public static async Task<RedisServer> StartSentinelAsync(int master, int downAfterMilliseconds, int failoverMilliseconds)
    {
        Need();
        var server = new RedisServer(FreePort.Draw(), ["--sentinel"]);
        await File.WriteAllTextAsync(server.ConfigurationFile, string.Create(CultureInfo.InvariantCulture, $"""
            port {server.Port}
            bind 127.0.0.1
            dir {server.Folder}
            sentinel monitor clinic 127.0.0.1 {master} 2
            sentinel down-after-milliseconds clinic {downAfterMilliseconds}
            sentinel failover-timeout clinic {failoverMilliseconds}

            """));
        return await StartedAsync(server);
    }

    private static async Task<RedisServer> StartedAsync(RedisServer server)
    {
        try
        {
            await server.StartAsync();
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    private string ConfigurationFile => Path.Combine(Folder, "sentinel.conf");

    /// <summary>Starts it again on the same port, empty, after <see cref="Kill"/>.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = File.Exists(ConfigurationFile)
            ? [ConfigurationFile, .. _arguments]
            : ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", Folder, "--save", "", "--appendonly", "no", .. _arguments];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        var output = new StringBuilder();
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => output.AppendLine(line.Data);
        _process.ErrorDataReceived += (_, line) => output.AppendLine(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var waited = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            Assert.False(_process.HasExited, output.ToString());
            Assert.True(waited.Elapsed < StartLimit, $"{Program} does not answer.");
            await Task.Delay(20);
        }
    }

    /// <summary>As a power cut would: no farewell.</summary>
    public void Kill()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            process.WaitForExit(10_000);
        }
    }

    /// <summary>Stops it where it stands: connections stay open and nothing answers.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    /// <summary>Says a command and gives the answer's bytes as they come, until the server has been silent for a moment.</summary>
    public async Task<byte[]> SayAsync(params string[] words)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, Port);
        var stream = client.GetStream();
        var command = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words)
        {
            command.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }
        await stream.WriteAsync(Encoding.UTF8.GetBytes(command.ToString()));
        using var answer = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            using var silence = new CancellationTokenSource(answer.Length == 0 ? 5000 : 150);
            try
            {
                var read = await stream.ReadAsync(buffer, silence.Token);
                if (read == 0)
                {
                    return answer.ToArray();
                }
                answer.Write(buffer, 0, read);
            }
            catch (OperationCanceledException)
            {
                return answer.ToArray();
            }
        }
    }

    public async Task<string> AskAsync(params string[] words) => Encoding.UTF8.GetString(await SayAsync(words));

    public void Dispose()
    {
        Kill();
        _process?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            return await AskAsync("PING") is { } answer && (answer.StartsWith("+PONG", StringComparison.Ordinal) || answer.StartsWith("-NOAUTH", StringComparison.Ordinal));
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            return false;
        }
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit(5000);
    }

}
