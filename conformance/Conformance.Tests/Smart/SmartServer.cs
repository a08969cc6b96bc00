using System.Text.Json.Nodes;
using Conformance.Tests.Subscriptions;
using Tests.Shared;

[assembly: AssemblyFixture(typeof(Conformance.Tests.Smart.SmartServer))]

namespace Conformance.Tests.Smart;

/// <summary>A server with the demo clinic, its users, and an app of every kind.</summary>
public sealed class SmartServer : IAsyncLifetime
{
    public const string PublicApp = "public-app";
    public const string SecretApp = "secret-app";
    public const string KeyApp = "key-app";
    public const string Backend = "backend";
    public const string BackendByUrl = "backend-by-url";
    public const string Ehr = "ehr";
    public const string Redirect = "https://app.example.org/callback";
    public const string AppOrigin = "https://app.example.org";
    public const string Secret = "a-secret-for-conformance-tests";

    public const string AppScopes =
        "openid fhirUser launch launch/patient offline_access online_access patient/*.cruds patient/*.* user/*.cruds user/*.*";

    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-smart-").FullName;
    private readonly EngineUnderTest _engine = new();
    private readonly KeyHost _keys = new();
    private RunningServer? _server;
    private HttpClient? _http;
    private IReadOnlyDictionary<string, DemoUser> _users = new Dictionary<string, DemoUser>();

    internal ClientKey EcKey { get; } = ClientKey.Ec384("ec-1");

    internal ClientKey RsaKey { get; } = ClientKey.Rsa384("rsa-1");

    /// <summary>With a slash at the end.</summary>
    public Uri Base => There.Base;

    /// <summary>As an <c>aud</c>: without the slash.</summary>
    public string Audience => Base.AbsoluteUri.TrimEnd('/');

    /// <summary>No token; redirects are not followed.</summary>
    public HttpClient Http => _http ?? throw new InvalidOperationException("Not started.");

    public JsonNode Discovery { get; private set; } = new JsonObject();

    public string TokenEndpoint => (string)Discovery["token_endpoint"]!;

    public DemoUser Patient => User("patient");

    public DemoUser Practitioner => User("practitioner");

    private RunningServer There
    {
        get
        {
            if (_server is null)
            {
                EngineUnderTest.SkipIfAbsent();
            }
            return _server!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (!EngineUnderTest.IsThere || Environment.GetEnvironmentVariable("FHIR_BASE") is { Length: > 0 })
        {
            return; // every test will skip itself and say why
        }
        await _keys.StartAsync(RsaKey);
        _server = await RunningServer.StartAsync(Path.Combine(_directory, "data"), ["--demo", "--Demo:HistoryWeeks=0"], [.. Clients(), .. _engine.Settings()], CancellationToken.None);
        _users = await DemoUsers.OfAsync(_server, CancellationToken.None);
        _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = Base, Timeout = TimeSpan.FromSeconds(60) };
        Discovery = JsonNode.Parse(await _http.GetStringAsync(".well-known/smart-configuration"))!;
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        await _keys.DisposeAsync();
        await _engine.DropAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Each test first asks for this: it skips the test where the server is none of ours.</summary>
    public void Need()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("FHIR_BASE") is { Length: > 0 }, "The server at FHIR_BASE has none of these apps and users.");
        EngineUnderTest.SkipIfAbsent();
    }

    public DemoUser User(string role) => _users[role];

    internal WebVisitor Visitor() => new(Base);

    private IEnumerable<KeyValuePair<string, string>> Clients()
    {
        var keys = new JsonObject { ["keys"] = new JsonArray(EcKey.Public(), RsaKey.Public()) }.ToJsonString();
        return
        [
            .. Client(0, PublicApp, AppScopes, ("RedirectUris:0", Redirect), ("Name", "Public App")),
            .. Client(1, SecretApp, AppScopes, ("RedirectUris:0", Redirect), ("ClientSecret", Secret), ("Name", "Secret App")),
            .. Client(2, KeyApp, AppScopes, ("RedirectUris:0", Redirect), ("Jwks", keys), ("Name", "Key App")),
            .. Client(3, Backend, "system/*.rs", ("Jwks", keys)),
            .. Client(4, BackendByUrl, "system/*.rs", ("JwksUri", _keys.Address)),
            .. Client(5, Ehr, "system/*.rs", ("ClientSecret", Secret), ("MayLaunch", "true"), ("MayIntrospect", "true")),
            new("Auth:Brand:Name", "Conformance Clinic"), new("Auth:Brand:Website", "https://clinic.example.org"),
            new("Auth:AllowedPrivateEndpoints:0", new Uri(_keys.Address).Authority), .. SubscriberHost.Settings,
        ];
    }

    private static IEnumerable<KeyValuePair<string, string>> Client(int index, string id, string scope, params (string Name, string Value)[] more) =>
        [new($"Auth:Clients:{index}:ClientId", id), new($"Auth:Clients:{index}:Scope", scope), .. more.Select(pair => KeyValuePair.Create($"Auth:Clients:{index}:{pair.Name}", pair.Value))];
}
