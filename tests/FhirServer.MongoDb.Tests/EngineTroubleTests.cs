using System.Diagnostics;
using System.Text.Json.Nodes;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Tests;
using Tests.Shared;

namespace FhirServer.Tests;

/// <summary>
/// MongoDB slow, gone, without a primary, read-only, full, or no longer willing: requests get 503 with Retry-After in time, readiness
/// names the engine, nothing acknowledged is lost, and all is well again without a restart.
/// </summary>
public sealed class EngineTroubleTests(TroubledServer server) : IClassFixture<TroubledServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("slow")]
    [InlineData("gone")]
    [InlineData("mute")]
    public async Task Engine_Unreachable_RequestsAreRefusedInTime_AndComeBack(string how)
    {
        var kept = await CreateAsync();
        var release = new TaskCompletionSource();
        server.Proxy.OnRequest = how switch
        {
            "slow" => async _ =>
            {
                await release.Task;
                return WireProxy.Fate.Pass;
            },
            "gone" => _ => new(WireProxy.Fate.LoseRequest),
            _ => _ => new(WireProxy.Fate.LoseReply),
        };
        try
        {
            await RefusedAsync(() => server.Client.GetAsync($"Patient/{kept}"));
            await RefusedAsync(() => server.Client.GetAsync("Patient?active=true"));
            await RefusedAsync(() => server.Client.PostAsync("Patient", Patient));
            var ready = await UntilAsync(async () => await server.Anonymous.GetAsync(server.Origin + "/health/ready"), answer => answer.Status == 503);
            Assert.Contains("MongoDB", ready.Json!["engines"]!.AsArray().Select(engine => (string?)engine!["engine"]));
            Assert.DoesNotContain("127.0.0.1", ready.Text, StringComparison.Ordinal);
            Assert.Equal(200, (await server.Anonymous.GetAsync("metadata")).Status);
        }
        finally
        {
            server.Proxy.OnRequest = _ => new(WireProxy.Fate.Pass);
            release.TrySetResult();
        }
        await UntilAsync(async () => await server.Client.GetAsync($"Patient/{kept}"), answer => answer.Status == 200);
        await UntilAsync(async () => await server.Anonymous.GetAsync(server.Origin + "/health/ready"), answer => answer.Status == 200);
        await CreateAsync();
    }

    /// <summary>Codes of https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml.</summary>
    [Theory]
    [InlineData("insert", 10107)] // NotWritablePrimary: read-only, or another has been elected
    [InlineData("insert", 14031)] // OutOfDiskSpace
    [InlineData("insert", 13)] // Unauthorized
    [InlineData("commitTransaction", 14031)]
    [InlineData("find", 13)]
    public async Task Engine_Refuses_ARequestIsA503_NothingIsHalfWritten_AndItComesBack(string command, int code)
    {
        var kept = await CreateAsync();
        using (server.Fail(command, code))
        {
            await RefusedAsync(() => command == "find" ? server.Client.GetAsync($"Patient/{kept}") : server.Client.PostAsync("Patient", Marked(code)));
        }
        await UntilAsync(async () => await server.Client.GetAsync($"Patient/{kept}"), answer => answer.Status == 200);
        Assert.Empty((await UntilAsync(() => server.Client.GetAsync($"Patient?identifier=urn:trouble|{code}"), answer => answer.Status == 200)).Matches);
        await CreateAsync();
    }

    private const string Patient = """{"resourceType":"Patient","active":true}""";

    private static string Marked(int code) => $$"""{"resourceType":"Patient","identifier":[{"system":"urn:trouble","value":"{{code}}"}]}""";

    private async Task<string> CreateAsync()
    {
        Assert.SkipUnless(MongoServer.IsStandIn, "needs a MongoDB of its own: MONGODB_URI names one that is not ours to bring into trouble");
        var made = await UntilAsync(() => server.Client.PostAsync("Patient", Patient), answer => answer.Status == 201);
        return (string)made.Json!["id"]!;
    }

    private static async Task RefusedAsync(Func<Task<Answer>> ask)
    {
        var took = Stopwatch.StartNew();
        var answer = await ask();
        Assert.True(answer.Status == 503, $"{answer.Status} {answer.Text}");
        Assert.True(took.Elapsed < Patience, $"{took.Elapsed}");
        Assert.NotNull(answer.Response.Headers.RetryAfter);
        Assert.Equal("transient", (string?)Assert.Single(answer.Issues)["code"]);
    }

    private static async Task<Answer> UntilAsync(Func<Task<Answer>> ask, Func<Answer, bool> isRight)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var answer = await ask();
            if (isRight(answer) || waited.Elapsed > TimeSpan.FromSeconds(30))
            {
                Assert.True(isRight(answer), $"{answer.Status} {answer.Text}");
                return answer;
            }
            await Task.Delay(200);
        }
    }
}

/// <summary>A server whose MongoDB can be brought into trouble.</summary>
public sealed class TroubledServer : ServerFixture
{
    private MongoServer? _mongo;

    internal WireProxy Proxy { get; private set; } = null!;

    protected override string[] Extra => [$"--Storage:MongoDb:ConnectionString={Proxy.Uri}", "--Storage:MongoDb:OperationTimeout=00:00:02"];

    public override async ValueTask InitializeAsync()
    {
        if (MongoServer.WhyAbsent is null && MongoServer.IsStandIn)
        {
            _mongo = MongoServer.OwnOrSkip(); // fail points reach every client of a server
            Proxy = new(_mongo.Uri);
            await base.InitializeAsync();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_mongo is not null)
        {
            Proxy.Dispose();
            _mongo.Dispose();
        }
    }

    public IDisposable Fail(string command, int code)
    {
        using var client = new MongoClient(_mongo!.Uri);
        client.GetDatabase("admin").RunCommand<BsonDocument>(new BsonDocument
        {
            { "configureFailPoint", "failCommand" },
            { "mode", new BsonDocument("times", 10_000) },
            { "data", new BsonDocument { { "failCommands", new BsonArray { command } }, { "errorCode", code } } },
        });
        return new Off(_mongo.Uri);
    }

    private sealed class Off(string uri) : IDisposable
    {
        public void Dispose()
        {
            using var client = new MongoClient(uri);
            client.GetDatabase("admin").RunCommand<BsonDocument>(new BsonDocument { { "configureFailPoint", "failCommand" }, { "mode", "off" } });
        }
    }
}
