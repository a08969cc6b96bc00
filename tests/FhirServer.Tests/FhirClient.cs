using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace FhirServer.Tests;

/// <summary>An answer, read whole.</summary>
public sealed record Answer(int Status, HttpResponseMessage Response, byte[] Bytes)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public JsonObject Json => JsonNode.Parse(Bytes)!.AsObject();

    public string? Id => (string?)Json["id"];

    public string? ETag => Response.Headers.ETag?.ToString();

    public string? Location => Response.Headers.Location?.ToString();

    public IReadOnlyList<JsonObject> Entries => [.. (Json["entry"]?.AsArray() ?? []).Select(entry => entry!.AsObject())];

    public IReadOnlyList<JsonObject> Matches =>
        [.. Entries.Where(entry => (string?)entry["search"]?["mode"] == "match").Select(entry => entry["resource"]!.AsObject())];

    public IReadOnlyList<JsonObject> Issues => [.. Json["issue"]!.AsArray().Select(issue => issue!.AsObject())];

    public string? Link(string relation) =>
        (string?)(Json["link"]?.AsArray().FirstOrDefault(link => (string?)link!["relation"] == relation)?["url"]);
}

/// <summary>A thin client: what is sent is what the test says.</summary>
public sealed class FhirClient : IDisposable
{
    private readonly HttpClient _http;

    public FhirClient(string @base, string? token)
    {
        Base = @base;
        _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 256, UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromMinutes(2) };
        if (token is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        }
    }

    public string Base { get; }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync("GET", path, null, headers);

    public Task<Answer> PostAsync(string path, string body, params (string Name, string Value)[] headers) => SendAsync("POST", path, Encoding.UTF8.GetBytes(body), headers);

    public Task<Answer> PutAsync(string path, string body, params (string Name, string Value)[] headers) => SendAsync("PUT", path, Encoding.UTF8.GetBytes(body), headers);

    public Task<Answer> DeleteAsync(string path, params (string Name, string Value)[] headers) => SendAsync("DELETE", path, null, headers);

    /// <param name="path">Below the base, or an absolute address.</param>
    public async Task<Answer> SendAsync(string method, string path, byte[]? body, params (string Name, string Value)[] headers)
    {
        var address = path.Contains("://", StringComparison.Ordinal) ? path : path.Length == 0 ? Base : $"{Base}/{path}";
        using var request = new HttpRequestMessage(new(method), new Uri(address));
        var contentType = "application/fhir+json";
        foreach (var (name, value) in headers)
        {
            if (name == "Content-Type")
            {
                contentType = value;
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = contentType.Length == 0 ? null : MediaTypeHeaderValue.Parse(contentType);
        }
        var response = await _http.SendAsync(request);
        return new((int)response.StatusCode, response, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>All matches of a search, over all its pages.</summary>
    public async Task<List<JsonObject>> SearchAllAsync(string query)
    {
        var found = new List<JsonObject>();
        for (var next = query; next is not null;)
        {
            var page = await GetAsync(next);
            Assert.True(page.Status == 200, page.Text);
            found.AddRange(page.Matches);
            next = page.Link("next");
        }
        return found;
    }

    public void Dispose() => _http.Dispose();
}
