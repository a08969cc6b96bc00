using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Faults.Tests;

/// <summary>One or several server processes on one database, as tests of faults see them: something to ask, and something to kill.</summary>
public abstract class Deployment : IAsyncDisposable
{
    protected const string ClientId = "faults";
    protected const string ClientSecret = "faults-secret-of-the-tests";

    /// <summary>Everything the processes write on the disk lies under it.</summary>
    public string WorkingDirectory { get; } = Directory.CreateTempSubdirectory("fhir-faults-").FullName;

    /// <summary>Starts every process that does not run; those that run go on.</summary>
    public abstract Task StartAsync(CancellationToken ct);

    /// <summary>kill -9 of one process; of several, of each in turn.</summary>
    public abstract Task KillAsync();

    /// <summary>A signed-in client; of several processes, of each in turn.</summary>
    protected abstract HttpClient Next();

    /// <summary>Settings beside those that every deployment has.</summary>
    public IEnumerable<KeyValuePair<string, string>> More { get; init; } = [];

    protected IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Auth:Clients:0:ClientId", ClientId),
        new("Auth:Clients:0:ClientSecret", ClientSecret),
        new("Auth:Clients:0:Scope", Conformance.Tests.Tokens.Everything),
        new("Auth:AccessTokenLifetime", "01:00:00"),
        .. More,
    ];

    public async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken ct, params (string Name, string Value)[] headers)
    {
        var http = Next();
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/fhir+json");
        }
        using var response = await http.SendAsync(request, ct);
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
            Assert.True(status == HttpStatusCode.OK, $"{status} {bundle}");
            found.AddRange((bundle!["entry"]?.AsArray() ?? []).Where(e => (string?)e!["search"]?["mode"] == "match").Select(e => e!["resource"]!.AsObject()));
            next = (string?)(bundle["link"]?.AsArray().FirstOrDefault(l => (string?)l!["relation"] == "next")?["url"]);
        }
        return found;
    }

    public virtual ValueTask DisposeAsync()
    {
        Directory.Delete(WorkingDirectory, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
