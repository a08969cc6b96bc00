using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Conformance.Tests;

namespace Faults.Tests;

/// <summary>A server with a data folder of its own, which outlives restarts and is removed at the end, and a signed-in client.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string ClientId = "faults";
    private const string ClientSecret = "faults-secret-of-the-tests";
    private RunningServer? _server;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>Everything the server writes lies under it.</summary>
    public string WorkingDirectory { get; } = Directory.CreateTempSubdirectory("fhir-faults-").FullName;

    /// <summary>What the server has said since its last start.</summary>
    public string Output => _server?.Output ?? "";

    /// <param name="more">Settings, by their names with colons.</param>
    public async Task StartAsync(CancellationToken ct, params (string Key, string Value)[] more)
    {
        _server = await RunningServer.StartAsync(
            Path.Combine(WorkingDirectory, "data"),
            [],
            [
                new("Auth:Clients:0:ClientId", ClientId),
                new("Auth:Clients:0:ClientSecret", ClientSecret),
                new("Auth:Clients:0:Scope", Tokens.Everything),
                new("Auth:AccessTokenLifetime", "01:00:00"),
                .. more.Select(setting => new KeyValuePair<string, string>(setting.Key, setting.Value)),
            ],
            ct);
        Http?.Dispose();
        Http = await Tokens.SignInAsync(_server.Base, ClientId, ClientSecret, ct, connections: 128);
    }

    public RunningServer Running => _server!;

    /// <summary>kill -9.</summary>
    public async Task KillAsync() => await _server!.DisposeAsync();

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
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        Directory.Delete(WorkingDirectory, recursive: true);
    }
}
