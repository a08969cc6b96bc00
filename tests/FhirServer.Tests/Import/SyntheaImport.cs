using System.Text.Json.Nodes;
using Conformance.Tests;

namespace FhirServer.Tests.Import;

/// <summary>All of the Synthea histories, imported by the command and served.</summary>
public sealed class SyntheaImport : IAsyncLifetime
{
    private const string Secret = "clinician-secret-of-the-tests";
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-import-").FullName;
    private RunningServer? _server;
    private HttpClient? _http;

    public int ExitCode { get; private set; }

    public string Output { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (SharedData.Synthea is not { } files)
        {
            return; // every test skips
        }
        var data = Path.Combine(_directory, "data");
        (ExitCode, Output) = await RunningServer.RunAsync(data, ["import", files], CancellationToken.None);
        _server = await RunningServer.StartAsync(
            data, [], [new("Auth:Clients:0:ClientId", "clinician"), new("Auth:Clients:0:ClientSecret", Secret), new("Auth:Clients:0:Scope", Tokens.Everything)], CancellationToken.None);
        _http = await Tokens.SignInAsync(_server.Base, "clinician", Secret, CancellationToken.None);
    }

    /// <returns>The matches of all pages; skips the calling test where the data is absent.</returns>
    public async Task<List<JsonObject>> SearchAsync(string query, CancellationToken ct)
    {
        SharedData.RequireSynthea();
        var found = new List<JsonObject>();
        for (var next = query; next is not null;)
        {
            using var response = await _http!.GetAsync(next, ct);
            var text = await response.Content.ReadAsStringAsync(ct);
            Assert.True(response.IsSuccessStatusCode, $"{next}: {text}");
            var bundle = JsonNode.Parse(text)!;
            found.AddRange((bundle["entry"]?.AsArray() ?? []).Where(e => (string?)e!["search"]?["mode"] == "match").Select(e => e!["resource"]!.AsObject()));
            next = (string?)bundle["link"]?.AsArray().FirstOrDefault(link => (string?)link!["relation"] == "next")?["url"];
        }
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        Directory.Delete(_directory, recursive: true);
    }
}
