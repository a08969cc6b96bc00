using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Conformance.Tests.Subscriptions;
using Tests.Shared;

[assembly: AssemblyFixture(typeof(Conformance.Tests.ServerUnderTest))]

namespace Conformance.Tests;

/// <summary>
/// The server every test speaks to: the one at <c>FHIR_BASE</c> with <c>FHIR_CLIENT_ID</c> and <c>FHIR_CLIENT_SECRET</c>, else one
/// started for the run on an empty data folder.
/// </summary>
public sealed class ServerUnderTest : IAsyncLifetime
{
    public const string Scope = Tokens.Everything;
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-conformance-").FullName;
    private readonly EngineUnderTest _engine = new();
    private RunningServer? _server;
    private HttpClient? _http;
    private HttpClient? _anonymous;

    /// <summary>Carries the token; base address with a slash at the end.</summary>
    public HttpClient Http => There(_http);

    /// <summary>No token.</summary>
    public HttpClient Anonymous => There(_anonymous);

    public Uri Base { get; private set; } = null!;

    public string ClientId { get; private set; } = "conformance";

    public string ClientSecret { get; private set; } = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("FHIR_BASE") is { Length: > 0 } there)
        {
            Base = new(there.TrimEnd('/') + "/");
            ClientId = Environment.GetEnvironmentVariable("FHIR_CLIENT_ID") ?? throw new InvalidOperationException("FHIR_BASE needs FHIR_CLIENT_ID and FHIR_CLIENT_SECRET.");
            ClientSecret = Environment.GetEnvironmentVariable("FHIR_CLIENT_SECRET") ?? "";
        }
        else
        {
            if (!EngineUnderTest.IsThere)
            {
                return; // every test will skip itself and say why
            }
            _server = await RunningServer.StartAsync(
                Path.Combine(_directory, "data"), [],
                [
                    new("Auth:Clients:0:ClientId", ClientId), new("Auth:Clients:0:ClientSecret", ClientSecret), new("Auth:Clients:0:Scope", Scope),
                    new("Auth:Clients:1:ClientId", "reader"), new("Auth:Clients:1:ClientSecret", ClientSecret), new("Auth:Clients:1:Scope", "system/Patient.rs"),
                    new("Auth:Clients:2:ClientId", "watcher"), new("Auth:Clients:2:ClientSecret", ClientSecret), new("Auth:Clients:2:Scope", "system/Subscription.cruds system/Patient.rs system/Observation.rs?code=urn:conformance|a"),
                    .. SubscriberHost.Settings, .. _engine.Settings(),
                ],
                CancellationToken.None);
            Base = _server.Base;
        }
        _anonymous = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = Base, Timeout = TimeSpan.FromSeconds(60) };
        _http = await SignInAsync(ClientId, ClientSecret, Scope);
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        _anonymous?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        await _engine.DropAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static HttpClient There(HttpClient? client)
    {
        if (client is null)
        {
            EngineUnderTest.SkipIfAbsent();
        }
        return client!;
    }

    /// <returns>A client with a token of the client credentials grant, https://hl7.org/fhir/smart-app-launch/backend-services.html.</returns>
    public Task<HttpClient> SignInAsync(string clientId, string clientSecret, string scope) => Tokens.SignInAsync(Base, clientId, clientSecret, CancellationToken.None, scope);

    /// <summary>A clinic of its own for one test, so that tests neither meet nor need an empty server.</summary>
    public async Task<TestClinic> OpenClinicAsync() => await TestClinic.OpenAsync(this);

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public Task<Answer> PostAsync(string path, JsonNode body, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Post, path, body.ToJsonString(), headers);

    public Task<Answer> PutAsync(string path, JsonNode body, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Put, path, body.ToJsonString(), headers);

    public Task<Answer> DeleteAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Delete, path, null, headers);

    public Task<Answer> SendAsync(HttpMethod method, string path, string? json, params (string Name, string Value)[] headers) =>
        SendAsync(Http, method, path, json is null ? null : new ByteArrayContent(Encoding.UTF8.GetBytes(json)), headers);

    public static async Task<Answer> SendAsync(HttpClient client, HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (content is not null && content.Headers.ContentType is null)
        {
            content.Headers.ContentType = new("application/fhir+json");
        }
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new(response.StatusCode, Parse(text), response.Headers, response.Content.Headers, text);
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}

/// <param name="Body">Null where it is empty or no JSON.</param>
public sealed record Answer(HttpStatusCode Status, JsonNode? Body, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, string Text)
{
    public string? ResourceType => (string?)Body?["resourceType"];

    public string Id => (string)Body!["id"]!;

    /// <summary>Quotes and W/ included.</summary>
    public string? ETag => Headers.TryGetValues("ETag", out var values) ? values.Single() : null;

    /// <summary>Resources of a search's entries of this mode.</summary>
    public IReadOnlyList<JsonNode> Entries(string mode = "match") =>
        [.. (Body?["entry"]?.AsArray() ?? []).Where(entry => (string?)entry!["search"]?["mode"] == mode).Select(entry => entry!["resource"]!)];

    public IReadOnlyList<string> Ids(string mode = "match") => [.. Entries(mode).Select(resource => (string)resource["id"]!)];

    public string? Link(string relation) => (string?)Body?["link"]?.AsArray().FirstOrDefault(link => (string?)link!["relation"] == relation)?["url"];

    public Answer Is(HttpStatusCode expected)
    {
        Assert.True(Status == expected, $"{(int)expected} expected, {(int)Status} answered: {Text}");
        return this;
    }

    /// <summary>A refusal says why: https://hl7.org/fhir/R4/http.html#Status-Codes asks for an OperationOutcome.</summary>
    public Answer Refused(HttpStatusCode expected)
    {
        Is(expected);
        Assert.Equal("OperationOutcome", ResourceType);
        Assert.All(Body!["issue"]!.AsArray(), issue =>
        {
            Assert.NotNull((string?)issue!["code"]);
            Assert.Contains((string?)issue["severity"], (string[])["fatal", "error", "warning", "information"]);
        });
        Assert.Contains(Body["issue"]!.AsArray(), issue => !string.IsNullOrWhiteSpace((string?)issue!["diagnostics"] ?? (string?)issue["details"]?["text"]));
        return this;
    }
}
