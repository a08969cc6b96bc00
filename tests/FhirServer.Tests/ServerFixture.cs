using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using FhirServer.Hosting;
using Tests.Shared;

[assembly: AssemblyFixture(typeof(FhirServer.Tests.ServerFixture))]

namespace FhirServer.Tests;

/// <summary>One server for all tests: the real composition on a free loopback port, with the real engine in a folder of its own.</summary>
public class ServerFixture : IAsyncLifetime
{
    public const string ClientId = "tests";
    public const string ReaderId = "reader";
    private const string Secret = "a-secret-for-tests-only";

    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-server-tests-").FullName;
    private readonly EngineUnderTest _engine = new();
    private FhirApplication? _application;
    private FhirClient? _client;
    private FhirClient? _reader;
    private FhirClient? _anonymous;

    public string Origin { get; } = $"http://127.0.0.1:{FreePort.Draw()}";

    public string Base => Origin + "/fhir";

    public string DataDirectory => Path.Combine(_directory, "data");

    /// <summary>May do everything.</summary>
    public FhirClient Client => There(_client);

    /// <summary>May read and search patients, and nothing else.</summary>
    public FhirClient Reader => There(_reader);

    public FhirClient Anonymous => There(_anonymous);

    public string[] Arguments(params ReadOnlySpan<string> more) =>
    [
        $"--urls={Origin}", $"--Storage:DataDirectory={DataDirectory}", "--Server:MaxBodyBytes=4000000",
        $"--Auth:Clients:0:ClientId={ClientId}", $"--Auth:Clients:0:ClientSecret={Secret}", "--Auth:Clients:0:Scope=system/*.cruds",
        $"--Auth:Clients:1:ClientId={ReaderId}", $"--Auth:Clients:1:ClientSecret={Secret}", "--Auth:Clients:1:Scope=system/Patient.rs",
        "--Auth:AccessTokenLifetime=01:00:00", .. more,
    ];

    /// <summary>Settings of a server of another kind.</summary>
    protected virtual string[] Extra => [];

    public IServiceProvider Services => _application!.Services;

    public virtual async ValueTask InitializeAsync()
    {
        if (!EngineUnderTest.IsThere)
        {
            return; // every test will skip itself and say why
        }
        _application = await FhirApplication.BuildAsync([.. _engine.Settings().Select(setting => $"--{setting.Key}={setting.Value}"), .. Arguments(Extra)]);
        await _application.StartAsync(default);
        _anonymous = new(Base, null);
        _client = new(Base, await SignInAsync(ClientId, "system/*.cruds"));
        _reader = new(Base, await SignInAsync(ReaderId, "system/Patient.rs"));
    }

    public virtual async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        _reader?.Dispose();
        _anonymous?.Dispose();
        if (_application is not null)
        {
            await _application.StopAsync(default);
            await _application.DisposeAsync();
        }
        await _engine.DropAsync();
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    private static FhirClient There(FhirClient? client)
    {
        EngineUnderTest.SkipIfAbsent();
        return client!;
    }

    private async Task<string> SignInAsync(string client, string scope)
    {
        using var http = new HttpClient();
        var discovery = JsonNode.Parse(await http.GetStringAsync(new Uri(Base + "/.well-known/smart-configuration")))!;
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)discovery["token_endpoint"]!)
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", scope)]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:{Secret}")));
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return (string)JsonNode.Parse(text)!["access_token"]!;
    }
}
