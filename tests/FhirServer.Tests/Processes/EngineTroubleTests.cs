using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace FhirServer.Tests.Processes;

/// <summary>What clients see while the engine is away, slow, or cannot hold what they send.</summary>
public sealed class EngineTroubleTests : IAsyncDisposable
{
    private const string Patient = """{"resourceType":"Patient","id":"p1","active":true}""";
    private readonly SharedDatabase _database = new();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task EngineAway_EveryRouteSaysSo_MetadataAndHealthGoOn()
    {
        var server = await _database.StartAsync();
        using var client = await server.SignInAsync();
        Assert.Equal(201, (await client.PutAsync("Patient/p1", Patient)).Status);
        _database.Store.GoAway();
        Answer[] answers =
        [
            await client.GetAsync("Patient/p1"),
            await client.GetAsync("Patient/p1/_history"),
            await client.GetAsync("Patient?active=true"),
            await client.GetAsync("_history"),
            await client.PutAsync("Patient/p1", Patient),
            await client.PostAsync("Patient", """{"resourceType":"Patient"}"""),
            await client.DeleteAsync("Patient/p1"),
            await client.PostAsync("", """{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}]}"""),
            await client.PostAsync("Appointment/$book", """{"resourceType":"Appointment","status":"proposed","slot":[{"reference":"Slot/a"}],"participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"}]}"""),
            await client.GetAsync("Appointment/$find?start=2031-01-01T00:00:00Z&end=2031-01-02T00:00:00Z"),
            await client.SendAsync("POST", server.Origin + "/auth/token", "grant_type=client_credentials&client_id=tests&client_secret=a-secret-for-tests-only"u8.ToArray(),
                ("Content-Type", "application/x-www-form-urlencoded")),
        ];
        Assert.All(answers, answer =>
        {
            Assert.True(answer.Status == 503, $"{answer.Response.RequestMessage!.RequestUri}: {answer.Status} {answer.Text}");
            Assert.Equal("2", answer.Response.Headers.RetryAfter?.ToString());
            Assert.Equal("transient", (string?)answer.Issues[0]["code"]);
        });
        Assert.Equal(200, (await client.GetAsync("metadata")).Status);
        Assert.Equal(200, (await client.GetAsync(".well-known/smart-configuration")).Status);
        Assert.Equal(200, (await client.GetAsync(server.Origin + "/health/live")).Status);

        _database.Store.Restore();
        Assert.Equal(200, (await client.GetAsync("Patient/p1")).Status);
        Assert.Equal(200, (await server.AskForTokenAsync()).Status);
    }

    [Fact]
    public async Task EngineHangs_RequestsAreGivenUpAfterTheirTime()
    {
        var server = await _database.StartAsync("--Server:RequestTimeout=00:00:03");
        using var client = await server.SignInAsync();
        Assert.Equal(201, (await client.PutAsync("Patient/p1", Patient)).Status);
        _database.Store.HoldUp();
        var read = await client.GetAsync("Patient/p1");
        Assert.Equal((503, "2"), (read.Status, read.Response.Headers.RetryAfter?.ToString()));
        Assert.Equal("timeout", (string?)read.Issues[0]["code"]);
        var write = await client.PutAsync("Patient/p1", Patient);
        Assert.Equal(503, write.Status);
        Assert.Contains("not known", (string?)write.Issues[0]["diagnostics"], StringComparison.Ordinal);
        var token = await client.SendAsync("POST", server.Origin + "/auth/token",
            "grant_type=client_credentials&client_id=tests&client_secret=a-secret-for-tests-only&scope=system/*.cruds"u8.ToArray(), ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.Equal(503, token.Status);
        _database.Store.Restore();
        Assert.Equal(200, (await client.GetAsync("Patient/p1")).Status);
    }

    [Fact]
    public async Task SlowSender_IsNotASlowAnswer()
    {
        var server = await _database.StartAsync("--Server:RequestTimeout=00:00:08");
        using var client = await server.SignInAsync();
        var (_, token) = await server.AskForTokenAsync();
        using var http = new HttpClient();
        var much = Patient + new string(' ', 12_000); // a thousand bytes a second: less than a quarter of that is too slow for Kestrel
        using var request = new HttpRequestMessage(HttpMethod.Put, server.Base + "/Patient/p1") { Content = new SlowContent(much, TimeSpan.FromSeconds(12)) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (string)token["access_token"]!);
        using var response = await http.SendAsync(request);
        Assert.Equal(201, (int)response.StatusCode);
    }

    [Fact]
    public async Task TooManyAtOnce_AreRefusedAtOnce_HealthIsNot()
    {
        var server = await _database.StartAsync("--Server:MaxConcurrentRequests=4", "--Server:Roles=api");
        using var client = await server.SignInAsync();
        Assert.Equal(201, (await client.PutAsync("Patient/p1", Patient)).Status);
        await NothingRunsAsync(server, client);
        _database.Store.HoldUp();
        var waiting = Enumerable.Range(0, 4).Select(_ => client.GetAsync("Patient/p1")).ToArray();
        for (var attempt = 0; _database.Store.Waiting < 4; attempt++)
        {
            Assert.True(attempt < 3000);
            await Task.Delay(10);
        }
        var refused = await client.GetAsync("Patient/p1");
        Assert.Equal((503, "1"), (refused.Status, refused.Response.Headers.RetryAfter?.ToString()));
        Assert.Equal("throttled", (string?)refused.Issues[0]["code"]);
        Assert.Equal(200, (await client.GetAsync(server.Origin + "/health/live")).Status);
        Assert.Contains("fhir_requests_running 4\n", (await client.GetAsync(server.Origin + "/metrics")).Text, StringComparison.Ordinal);
        _database.Store.Restore();
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(200, answer.Status));
        await NothingRunsAsync(server, client);
        Assert.Equal(200, (await client.GetAsync("Patient/p1")).Status);
        Assert.Contains("fhir_requests_refused_total 1\n", (await client.GetAsync(server.Origin + "/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RecordTooLargeForTheEngine_Is413AndNamesTheLimit()
    {
        var server = await _database.StartAsync();
        using var client = await server.SignInAsync();
        _database.Store.MostRecordBytes = 2000;
        var large = new JsonObject
        {
            ["resourceType"] = "Basic",
            ["code"] = new JsonObject { ["text"] = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4000)) },
        }.ToJsonString();
        var single = await client.PostAsync("Basic", large);
        Assert.Equal(413, single.Status);
        Assert.Equal("too-long", (string?)single.Issues[0]["code"]);
        Assert.Contains("2000 bytes", (string?)single.Issues[0]["diagnostics"], StringComparison.Ordinal);

        var batch = await client.PostAsync("", $$$"""
            {"resourceType":"Bundle","type":"batch","entry":[
              {"resource":{{{large}}},"request":{"method":"POST","url":"Basic"}},
              {"resource":{{{Patient}}},"request":{"method":"PUT","url":"Patient/p1"}}]}
            """);
        Assert.Equal(200, batch.Status);
        Assert.Equal(["413", "201"], batch.Entries.Select(entry => ((string)entry["response"]!["status"]!)[..3]));
    }

    /// <summary>A client has its answer a moment before the server is done with the request, and until then the request holds its place.</summary>
    private static async Task NothingRunsAsync(SharedDatabase.Member server, FhirClient client)
    {
        for (var attempt = 0; !(await client.GetAsync(server.Origin + "/metrics")).Text.Contains("fhir_requests_running 0\n", StringComparison.Ordinal); attempt++)
        {
            Assert.True(attempt < 3000);
            await Task.Delay(10);
        }
    }

    private sealed class SlowContent : HttpContent
    {
        private const int Parts = 50;
        private readonly string _text;
        private readonly TimeSpan _time;

        public SlowContent(string text, TimeSpan time)
        {
            (_text, _time) = (text, time);
            Headers.ContentType = new("application/fhir+json");
            Headers.ContentLength = text.Length;
        }

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            foreach (var part in System.Text.Encoding.ASCII.GetBytes(_text).Chunk(_text.Length / Parts + 1))
            {
                await stream.WriteAsync(part);
                await stream.FlushAsync();
                await Task.Delay(_time / Parts);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _text.Length;
            return true;
        }
    }
}
