using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using FhirCore.Records;
using FhirServer.Hosting;
using Storage.Contract;
using Tests.Shared;

namespace FhirServer.Tests.Processes;

/// <summary>One store in memory and one key file, for several servers that take it for a database over a network.</summary>
internal sealed class SharedDatabase : IAsyncDisposable
{
    private const string Secret = "a-secret-for-tests-only";
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-processes-").FullName;
    private readonly List<FhirApplication> _servers = [];

    public NetworkStore Store { get; } = new(new InMemoryRecordStore());

    public string KeyFile => Path.Combine(_directory, "keys", "master.key");

    public Task<Member> StartAsync(params string[] more) => StartAsync(Store, more);

    public async Task<Member> StartAsync(IRecordStore store, params string[] more)
    {
        var origin = $"http://127.0.0.1:{FreePort.Draw()}";
        var application = await FhirApplication.BuildAsync(
        [
            $"--urls={origin}", "--Server:BaseUrl=http://fhir.example/fhir", $"--Storage:DataDirectory={Path.Combine(_directory, Guid.NewGuid().ToString("n"))}",
            $"--Keys:File:Path={KeyFile}", "--Auth:Clients:0:ClientId=tests", $"--Auth:Clients:0:ClientSecret={Secret}", "--Auth:Clients:0:Scope=system/*.cruds",
            "--Server:LeaseTime=00:00:03",
            "--Audit:MaxDelay=00:01:00", // the store is away for as long as a test takes: requests are not refused for want of the trail as well
            .. more,
        ], store);
        lock (_servers)
        {
            _servers.Add(application);
        }
        await application.StartAsync(default);
        return new(application, origin);
    }

    public async ValueTask DisposeAsync()
    {
        Store.Restore();
        foreach (var server in _servers)
        {
            await server.StopAsync(default);
            await server.DisposeAsync();
        }
        Directory.Delete(_directory, recursive: true);
    }

    internal sealed record Member(FhirApplication Application, string Origin)
    {
        public string Base => Origin + "/fhir";

        public async Task<(int Status, JsonObject Body)> AskForTokenAsync(string client = "tests", string secret = Secret)
        {
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{Origin}/auth/token")
            {
                Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "system/*.cruds")]),
            };
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:{secret}")));
            using var response = await http.SendAsync(request);
            return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
        }

        public async Task<FhirClient> SignInAsync()
        {
            var (status, body) = await AskForTokenAsync();
            Assert.True(status == 200, body.ToJsonString());
            return new(Base, (string)body["access_token"]!);
        }

        public async Task UntilReadyAsync()
        {
            using var http = new HttpClient();
            for (var attempt = 0; ; attempt++)
            {
                using var response = await http.GetAsync(new Uri(Origin + "/health/ready"));
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
                Assert.True(attempt < 1200, await response.Content.ReadAsStringAsync());
                await Task.Delay(50);
            }
        }
    }
}
