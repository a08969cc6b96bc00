using System.Diagnostics;
using FhirCore.Records;
using FhirServer.Observability;
using Microsoft.Extensions.Time.Testing;

namespace FhirServer.Tests.Processes;

public sealed class ReadinessTests(ServerFixture fixture)
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Server_SaysWhichEngineIsAway_AndAsksItOnceASecond()
    {
        await using var database = new SharedDatabase();
        var server = await database.StartAsync();
        await server.UntilReadyAsync();
        using var client = new FhirClient(server.Base, null);
        var ready = await client.GetAsync(server.Origin + "/health/ready");
        Assert.Equal("""{"status":"ready","engines":[{"engine":"NetworkStore","status":"available"},{"engine":"Audit trail","status":"available"}]}""", ready.Text);
        Assert.Contains("fhir_engine_up{engine=\"NetworkStore\"} 1\n", (await client.GetAsync(server.Origin + "/metrics")).Text, StringComparison.Ordinal);

        database.Store.GoAway();
        await Task.Delay(1100);
        var (before, asked) = (database.Store.Checks, Stopwatch.StartNew());
        for (var i = 0; i < 20; i++)
        {
            var away = await client.GetAsync(server.Origin + "/health/ready");
            Assert.Equal(503, away.Status);
            Assert.Equal("unavailable", (string?)away.Json["status"]);
            Assert.Equal("NetworkStore", (string?)away.Json["engines"]![0]!["engine"]);
            Assert.Equal("unavailable", (string?)away.Json["engines"]![0]!["status"]);
        }
        Assert.InRange(database.Store.Checks - before, 1, 2 + (int)asked.Elapsed.TotalSeconds);
        Assert.Contains("fhir_engine_up{engine=\"NetworkStore\"} 0\n", (await client.GetAsync(server.Origin + "/metrics")).Text, StringComparison.Ordinal);
        database.Store.Restore();
        await server.UntilReadyAsync();
    }

    [Fact]
    public async Task EmbeddedEngine_HasAProbe()
    {
        var ready = await fixture.Anonymous.GetAsync(fixture.Origin + "/health/ready");
        Assert.Equal("""{"status":"ready","engines":[{"engine":"RocksDB","status":"available"},{"engine":"Audit trail","status":"available"}]}""", ready.Text);
    }

    [Fact]
    public async Task EngineThatIsNotRequired_OnlyDegrades()
    {
        var health = new EngineHealth([new Probe("Redis", IsRequired: false, _ => new("It does not answer."))], _clock);
        var state = Assert.Single(await health.AskAsync());
        Assert.Equal(("Redis", "degraded", "It does not answer."), (state.Engine, state.Status, state.Trouble));
    }

    [Fact]
    public async Task EngineThatHangs_IsGivenUpAfterTwoSeconds_AndNotAskedAgainMeanwhile()
    {
        var asked = 0;
        var answer = new TaskCompletionSource<string?>();
        var health = new EngineHealth([new Probe("MongoDB", IsRequired: true, _ =>
        {
            Interlocked.Increment(ref asked);
            return new(answer.Task);
        })], _clock);
        for (var round = 0; round < 3; round++)
        {
            var asking = health.AskAsync();
            await UntilAsync(() => Task.FromResult(Volatile.Read(ref asked) == 1));
            _clock.Advance(TimeSpan.FromSeconds(2));
            Assert.Contains("does not answer", Assert.Single(await asking.WaitAsync(TimeSpan.FromSeconds(10))).Trouble, StringComparison.Ordinal);
        }
        Assert.Equal(1, asked);
        answer.SetResult(null);
        await UntilAsync(async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(2));
            return Assert.Single(await health.AskAsync()).IsWell;
        });
    }

    [Fact]
    public async Task WhatADriverThrows_IsNotRepeated()
    {
        var health = new EngineHealth([new Probe("MongoDB", IsRequired: true, _ => throw new InvalidOperationException("mongodb://user:secret@10.0.0.1"))], _clock);
        var state = Assert.Single(await health.AskAsync());
        Assert.DoesNotContain("secret", state.Trouble, StringComparison.Ordinal);
        var text = new MetricsText();
        EngineHealth.WriteMetrics(text, [state]);
        Assert.Contains("fhir_engine_up{engine=\"MongoDB\"} 0\n", text.ToString(), StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var attempt = 0; !await isSo(); attempt++)
        {
            Assert.True(attempt < 3000, "It did not come to pass.");
            await Task.Delay(10);
        }
    }

    private sealed record Probe(string Engine, bool IsRequired, Func<CancellationToken, ValueTask<string?>> Check) : IEngineProbe
    {
        public ValueTask<string?> CheckAsync(CancellationToken ct) => Check(ct);
    }
}
