using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Bench;

/// <summary>What the server keeps its records in, as settings of its process.</summary>
internal sealed record EngineChoice(string Name, IReadOnlyList<KeyValuePair<string, string>> Environment)
{
    public static EngineChoice RocksDb { get; } = new("RocksDB", []);

    public static EngineChoice MongoDb(string uri, string database) => new("MongoDB",
    [
        new("Storage__Provider", "MongoDb"), new("Storage__MongoDb__ConnectionString", uri), new("Storage__MongoDb__Database", database),
    ]);
}

/// <summary>The server under measurement: its process, a token for it, single requests.</summary>
internal static class BenchServer
{
    private const string ClientId = "bench";
    private const string Secret = "bench-secret-of-this-run-only";

    /// <param name="cores">As <c>taskset -c</c> takes them.</param>
    public static PinnedProcess Start(BenchSettings settings, EngineChoice engine, string folder, string cores, params IEnumerable<KeyValuePair<string, string>> more)
    {
        var port = PinnedProcess.FreePort();
        return PinnedProcess.Start(cores, port, ["dotnet", settings.Server],
        [
            new("urls", $"http://127.0.0.1:{port}"), new("Server__BaseUrl", $"http://127.0.0.1:{port}/fhir"), new("Storage__DataDirectory", folder),
            new("Auth__Clients__0__ClientId", ClientId), new("Auth__Clients__0__ClientSecret", Secret), new("Auth__Clients__0__Scope", "system/*.cruds"),
            new("Auth__AccessTokenLifetime", "01:00:00"), .. engine.Environment, .. more,
        ]);
    }

    public static async Task<string> TokenAsync(PinnedProcess server)
    {
        using var client = new HttpClient { BaseAddress = new($"http://127.0.0.1:{server.Port}/fhir/") };
        var discovery = JsonNode.Parse(await client.GetStringAsync(".well-known/smart-configuration"))!;
        using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "system/*.cruds")]);
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)discovery["token_endpoint"]!) { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Secret}")));
        using var response = await client.SendAsync(request);
        var answer = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? (string)JsonNode.Parse(answer)!["access_token"]! : throw new BenchException($"No token: {answer}");
    }

    public static async Task<(int Status, byte[] Body)> AskAsync(PinnedProcess server, byte[] request)
    {
        using var connection = new RawConnection();
        await connection.ConnectAsync(server.Port);
        var (status, body) = await connection.ExchangeAsync(request, keepBody: true);
        return (status, body!);
    }

    /// <summary>Loads the data set with the server's own <c>import</c>.</summary>
    /// <returns>Seconds it took.</returns>
    public static async Task<double> ImportAsync(BenchSettings settings, EngineChoice engine, string file, string folder, string cores)
    {
        var took = System.Diagnostics.Stopwatch.StartNew();
        await using var import = PinnedProcess.Start(cores, 0, ["dotnet", settings.Server, "import", file], [new("Storage__DataDirectory", folder), .. engine.Environment]);
        return await import.UntilExitAsync() == 0 ? took.Elapsed.TotalSeconds : throw new BenchException($"The import failed:\n{import.Output}");
    }
}
