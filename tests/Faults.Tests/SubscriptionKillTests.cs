using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Conformance.Tests.Subscriptions;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>kill -9 in the middle of matching and delivering, again and again: every subscriber has every event once and in order.</summary>
public abstract class SubscriptionKillTests
{
    private const int InATransaction = 20;
    private const int Patients = 3;
    private const int LargestBatch = 50;

    /// <summary>Ten thousand is the promise; a build has time for fewer.</summary>
    private static readonly int Appointments = int.Parse(Environment.GetEnvironmentVariable("FHIR_FAULT_APPOINTMENTS") ?? "600", CultureInfo.InvariantCulture);

    /// <summary>Each costs the start of a process: a build makes do with fewer.</summary>
    private static readonly int Kills = Appointments < 10_000 ? 4 : 8;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private protected abstract Deployment Deploy(EventReceiver receiver);

    [Fact]
    public async Task Appointments_ChangeWhileWorkersAreKilled_EverySubscriberHasEveryNumberOnceAndInOrder()
    {
        var ct = TestContext.Current.CancellationToken;
        using var receiver = new EventReceiver();
        await using var server = Deploy(receiver);
        await server.StartAsync(ct);
        for (var i = 0; i < Patients; i++)
        {
            await server.SendUntilTakenAsync(HttpMethod.Put, $"Patient/p{i}", JsonNode.Parse($$"""{"resourceType":"Patient","id":"p{{i}}","active":true}""")!, ct);
        }
        EventLedger[] all = [await SubscribeAsync("ids", "id-only"), await SubscribeAsync("more-ids", "id-only"), await SubscribeAsync("whole", "full-resource"),
            await SubscribeAsync("slow", "id-only", TimeSpan.FromMilliseconds(30))];
        var some = await SubscribeAsync("some", "full-resource", default, "Appointment?patient=Patient/p0");
        EventLedger[] everyone = [.. all, some];

        var inTheMiddle = 0;
        var waves = Writes().Chunk(2 * Appointments / InATransaction / Kills + 1).ToArray();
        foreach (var (round, wave) in waves.Index())
        {
            var (before, written) = (everyone.Sum(ledger => ledger.Last), 0);
            var writing = Parallel.ForEachAsync(wave, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = ct }, async (transaction, token) =>
            {
                await server.SendUntilTakenAsync(HttpMethod.Post, "", transaction, token);
                Interlocked.Increment(ref written);
            });
            var delivering = Task.WhenAll(writing, ArrivedAsync());
            inTheMiddle += await Killing.InTheMiddleAsync(server, delivering, () => written > wave.Length / 3 && everyone.Sum(ledger => ledger.Last) > before + (round * 7), ct) ? 1 : 0;
            await writing;

            async Task ArrivedAsync()
            {
                await writing;
                while (all.Any(ledger => ledger.Last < (round + 1) * wave.Length * InATransaction))
                {
                    await Task.Delay(5, ct);
                }
            }
        }
        var happened = await HistoryAsync(server, ct);
        var expected = everyone.ToDictionary(ledger => ledger, ledger => happened.Where(one => ledger != some || one.Patient == "Patient/p0").Select(one => (one.Focus, one.Version)).ToArray());
        using var limit = new CancellationTokenSource(Limit);
        while (everyone.Any(ledger => ledger.Last < expected[ledger].Length) && !limit.IsCancellationRequested)
        {
            await Task.Delay(50, ct);
        }

        foreach (var ledger in everyone.Where(ledger => ledger.Last < expected[ledger].Length))
        {
            var (_, status) = await server.SendAsync(HttpMethod.Get, $"Subscription/{ledger.Id}/$status", null, ct);
            Assert.Fail($"{ledger.Last} of {expected[ledger].Length} events came within {Limit} after the last write to {ledger.Address}, of which its status says: {status}");
        }
        Assert.True(happened.Count >= 2 * Appointments, "Each appointment was made and changed.");
        Assert.True(inTheMiddle > waves.Length / 2, $"Only {inTheMiddle} of {waves.Length} kills fell into the middle of the work.");
        foreach (var ledger in everyone)
        {
            Assert.Empty(ledger.Wrong);
            Assert.Equal(expected[ledger].Select(one => one.Focus).Order(StringComparer.Ordinal), ledger.Events.Select(one => one.Focus).Order(StringComparer.Ordinal));
            Assert.InRange(ledger.Repeated, 0, waves.Length * LargestBatch);
            foreach (var versions in ledger.Events.Where(one => one.Version is not null).GroupBy(one => one.Focus, one => int.Parse(one.Version!, CultureInfo.InvariantCulture)))
            {
                Assert.True(versions.Zip(versions.Skip(1), (a, b) => b == a + 1).All(follows => follows), $"{versions.Key}: {string.Join(' ', versions)}");
            }
            var (_, read) = await server.SendAsync(HttpMethod.Get, $"Subscription/{ledger.Id}/$status", null, ct);
            var status = read!["entry"]![0]!["resource"]!;
            Assert.Equal(("active", ledger.Last.ToString(CultureInfo.InvariantCulture)), ((string?)Notice.Parameter(status, "status"), (string?)Notice.Parameter(status, "events-since-subscription-start")));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{happened.Count} changes, {inTheMiddle} of {waves.Length} kills in the middle, {string.Join(' ', everyone.Select(ledger => ledger.Repeated))} events repeated.");

        async Task<EventLedger> SubscribeAsync(string name, string content, TimeSpan pause = default, params string[] filters)
        {
            var ledger = receiver.Open(name, pause);
            var subscription = Subscribing.ByTopic(Subscribing.AppointmentTopic, ledger.Address, content, filters).With(("max-count", "valuePositiveInt", LargestBatch));
            var (status, made) = await server.SendAsync(HttpMethod.Post, "Subscription", subscription, ct);
            Assert.True(status == HttpStatusCode.Created, $"{status} {made}");
            ledger.Id = (string)made!["id"]!;
            for (var state = ""; state != "active"; state = (string?)(await server.SendAsync(HttpMethod.Get, $"Subscription/{ledger.Id}", null, ct)).Body!["status"])
            {
                Assert.NotEqual("error", state);
                await Task.Delay(20, ct);
            }
            return ledger;
        }
    }

    /// <summary>Each appointment is made, and once all are made, changed.</summary>
    private static IEnumerable<JsonObject> Writes()
    {
        foreach (var comment in (string[])["made", "changed"])
        {
            foreach (var ids in Enumerable.Range(0, Appointments).Chunk(InATransaction))
            {
                yield return new()
                {
                    ["resourceType"] = "Bundle",
                    ["type"] = "transaction",
                    ["entry"] = new JsonArray([.. ids.Select(id => (JsonNode)new JsonObject
                    {
                        ["resource"] = JsonNode.Parse($$"""
                            {"resourceType":"Appointment","id":"a{{id}}","status":"proposed","comment":"{{comment}}","participant":[{"actor":{"reference":"Patient/p{{id % Patients}}"},"status":"accepted"}]}
                            """),
                        ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"Appointment/a{id}" },
                    })]),
                };
            }
        }
    }

    /// <summary>Every version there is: a transaction whose acknowledgement the kill cut off may have been carried out twice.</summary>
    private static async Task<List<(string Focus, string? Version, string Patient)>> HistoryAsync(Deployment server, CancellationToken ct)
    {
        var found = new List<(string, string?, string)>();
        for (var next = "Appointment/_history?_count=1000"; next is not null;)
        {
            var (status, page) = await server.SendAsync(HttpMethod.Get, next, null, ct);
            Assert.True(status == HttpStatusCode.OK, $"{status} {page}");
            found.AddRange(page!["entry"]!.AsArray().Select(entry => entry!["resource"]!).Select(resource =>
                ($"Appointment/{resource["id"]}", (string?)resource["meta"]!["versionId"], (string)resource["participant"]![0]!["actor"]!["reference"]!)));
            next = (string?)(page["link"]?.AsArray().FirstOrDefault(link => (string?)link!["relation"] == "next")?["url"]);
        }
        return found;
    }
}

/// <summary>One process that answers, matches and delivers: all of it dies at once.</summary>
[Collection("one at a time")]
public sealed class RocksDbSubscriptionKillTests : SubscriptionKillTests
{
    private protected override Deployment Deploy(EventReceiver receiver) => new ServerProcess { More = receiver.Settings };
}

/// <summary>Two processes that match and deliver, of which one dies at a time; requests go to a third.</summary>
[Collection("one at a time")]
public sealed class MongoDbSubscriptionKillTests : SubscriptionKillTests
{
    private protected override Deployment Deploy(EventReceiver receiver) =>
        new Cluster(1, "subscriptions", "subscriptions") { More = [.. receiver.Settings, new("Server:LeaseTime", "00:00:03")] };
}

/// <summary>Events go by Kafka, and who carries them there dies with who reads them.</summary>
[Collection("one at a time")]
public sealed class KafkaSubscriptionKillTests : SubscriptionKillTests, IAsyncLifetime
{
    private readonly EngineUnderTest _kafka = new();

    public ValueTask InitializeAsync()
    {
        EngineUnderTest.SkipIfAbsent();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _kafka.DropAsync();

    private protected override Deployment Deploy(EventReceiver receiver) =>
        new Cluster(1, "worker,subscriptions", "worker,subscriptions") { More = [.. receiver.Settings, .. _kafka.Settings(), new("Server:LeaseTime", "00:00:03")] };
}
