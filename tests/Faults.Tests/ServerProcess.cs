using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;

namespace Faults.Tests;

/// <summary>A server on a free loopback port and a data folder of its own, which outlives restarts and is removed at the end.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string ClientId = "faults";
    private const string ClientSecret = "faults-secret-of-the-tests";
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-faults-").FullName;
    private readonly StringBuilder _output = new();
    private Process? _process;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>Everything the server writes lies under it.</summary>
    public string WorkingDirectory => _directory;

    public int Port { get; private set; }

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

    /// <summary>Starts the server; on another port where somebody else took the first one in between.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        for (var attempt = 1; !await TryStartAsync(ct); attempt++)
        {
            Assert.True(attempt < 5, $"The server did not start. It said:\n{Output}");
        }
        await SignInAsync(ct);
    }

    private async Task<bool> TryStartAsync(CancellationToken ct)
    {
        Port = FreePort();
        lock (_output)
        {
            _output.Clear();
        }
        var server = typeof(ServerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "ServerAssembly").Value!;
        var start = new ProcessStartInfo("dotnet", [server])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _directory,
            Environment =
            {
                ["urls"] = $"http://127.0.0.1:{Port}",
                ["Server__BaseUrl"] = $"http://127.0.0.1:{Port}/fhir",
                ["Storage__DataDirectory"] = Path.Combine(_directory, "data"),
                ["Auth__Clients__0__ClientId"] = ClientId,
                ["Auth__Clients__0__ClientSecret"] = ClientSecret,
                ["Auth__Clients__0__Scope"] = "system/*.cruds",
                ["Auth__AccessTokenLifetime"] = "01:00:00",
            },
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("The server did not start.");
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Http?.Dispose();
        Http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 128, UseProxy = false })
        {
            BaseAddress = new($"http://127.0.0.1:{Port}/fhir/"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        var waited = Stopwatch.StartNew();
        while (!await IsReadyAsync(ct))
        {
            if (_process.HasExited)
            {
                return false;
            }
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"The server is not ready. It said:\n{Output}");
            await Task.Delay(50, ct);
        }
        return true;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken ct, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/fhir+json");
        }
        using var response = await Http.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>All matches of a search, over all its pages.</summary>
    public async Task<List<JsonObject>> SearchAsync(string query, CancellationToken ct)
    {
        var found = new List<JsonObject>();
        for (var next = query; next is not null;)
        {
            var (status, bundle) = await SendAsync(HttpMethod.Get, next, null, ct);
            Assert.Equal(HttpStatusCode.OK, status);
            found.AddRange((bundle!["entry"]?.AsArray() ?? []).Where(e => (string?)e!["search"]?["mode"] == "match").Select(e => e!["resource"]!.AsObject()));
            next = (string?)(bundle["link"]?.AsArray().FirstOrDefault(l => (string?)l!["relation"] == "next")?["url"]);
        }
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }
        _process?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task SignInAsync(CancellationToken ct)
    {
        var discovery = JsonNode.Parse(await Http.GetStringAsync(".well-known/smart-configuration", ct))!;
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)discovery["token_endpoint"]!)
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "system/*.cruds")]),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{ClientSecret}")));
        using var response = await Http.SendAsync(request, ct);
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync(ct))!;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)body["access_token"]!);
    }

    private async Task<bool> IsReadyAsync(CancellationToken ct)
    {
        if (!Output.Contains($"Now listening on: http://127.0.0.1:{Port}", StringComparison.Ordinal))
        {
            return false; // whoever answers there may be somebody else
        }
        try
        {
            using var response = await Http.GetAsync(new Uri($"http://127.0.0.1:{Port}/health/ready"), ct);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
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

    /// <summary>Below the ports that outgoing connections are given, and drawn, so that servers started at once seldom meet.</summary>
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(15_000, 32_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }
}
