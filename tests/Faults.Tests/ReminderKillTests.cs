using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using StandIns;

namespace Faults.Tests;

/// <summary>
/// Whoever plans and sends reminders is killed while they come due: in the middle of planning, and between a message's sending and its
/// mark. What was due goes out once, and nothing of a visit that was cancelled or moved.
/// </summary>
/// <remarks>In no collection: for the most part of it the clock is waited for, and other tests may run meanwhile.</remarks>
public abstract class ReminderKillTests
{
    /// <summary>Reminders are due so long before their visits: the least that settings allow.</summary>
    private static readonly TimeSpan Before = TimeSpan.FromMinutes(5);

    /// <summary>From the writing of a visit to its reminder.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private const int Visits = 120;
    private const int InOneTransaction = 40;

    /// <summary>Of six visits one is cancelled and one is moved to the next day.</summary>
    private const int Reminders = Visits / 6 * 4;

    private int _reminders;
    private int _silentFrom = int.MaxValue;

    protected abstract Deployment Deploy(IEnumerable<KeyValuePair<string, string>> settings);

    [Fact]
    public async Task R01_KilledAgainAndAgain_EveryDueReminderGoesOutOnce()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var twilio = await TwilioStandIn.StartAsync();
        twilio.Latency = TimeSpan.FromMilliseconds(200);
        twilio.Ends = Answer;
        await using var server = Deploy(
        [
            .. twilio.Settings,
            new("Reminders:Before", $"{Before}"), new("Reminders:Spacing", "00:00:00"), new("Reminders:QuietHours", ""), new("Reminders:ClinicName", "Faults"),
            new("Reminders:SmsPerDay", "0"), new("Reminders:SmsPerWeek", "0"), new("Reminders:MaxParallelSends", "8"),
            new("Server:LeaseTime", "00:00:05"),
        ]);
        await server.StartAsync(ct);
        await WriteAsync(server, Enumerable.Range(0, Visits).Select(Person), ct);
        foreach (var some in Enumerable.Range(0, Visits).Chunk(InOneTransaction))
        {
            var start = TimeProvider.System.GetUtcNow() + Ahead + Before;
            await WriteAsync(server, some.Select(i => Visit(i, "booked", start)), ct);
            if (some[0] == InOneTransaction)
            {
                await server.KillAsync(); // in the middle of planning, and of saying that they are booked
                await server.StartAsync(ct);
            }
            await WriteAsync(server, some.Where(i => i % 6 == 0).Select(i => Visit(i, "cancelled", start)), ct);
            await WriteAsync(server, some.Where(i => i % 6 == 1).Select(i => Visit(i, "booked", start.AddDays(1))), ct);
            Assert.True(TimeProvider.System.GetUtcNow() < start - Before, "This machine is too busy to cancel a visit before its reminder.");
        }

        // The provider takes reminders and does not answer; while they wait for it they are killed.
        foreach (var silentFrom in new[] { Reminders / 4, Reminders / 2 })
        {
            Volatile.Write(ref _silentFrom, silentFrom);
            await UntilAsync(() => Task.FromResult(Volatile.Read(ref _reminders) >= silentFrom + 4), ct);
            await server.KillAsync();
            Volatile.Write(ref _silentFrom, int.MaxValue);
            await server.StartAsync(ct);
        }

        // Each message that was taken is written down, at the latest by whoever asks what became of it. Those were the last.
        await UntilAsync(async () => twilio.Messages.Count(IsReminder) >= Reminders && await WrittenAsync(server, ct) >= twilio.Count, ct);
        Assert.True(twilio.Lists > 0, "Nobody had to ask what became of a message.");
        var sent = twilio.Messages;
        Assert.All(sent.GroupBy(sms => (sms.To, sms.Body)), same => Assert.Single(same)); // each text has a link of its own
        for (var i = 0; i < Visits; i++)
        {
            var texts = sent.Where(sms => sms.To == Number(i)).Select(sms => sms.Body).ToList();
            Assert.True(
                (i % 6) switch
                {
                    0 => texts.Count is 0 or 2 && !texts.Exists(IsReminder), // booked and cancelled before either was told, or told both
                    1 => texts.Count is 1 or 2 && !texts.Exists(IsReminder),
                    _ => texts.Count == 2 && texts.Exists(IsReminder),
                },
                $"Visit {i}: {string.Join(" | ", texts)}");
        }
        Assert.Equal(sent.Count, await WrittenAsync(server, ct));
    }

    private Ending Answer(string number, string text) =>
        IsReminder(text) && Interlocked.Increment(ref _reminders) > Volatile.Read(ref _silentFrom) ? new Ending.TakenInSilence() : Ending.Ok;

    private static bool IsReminder(SentSms sms) => IsReminder(sms.Body);

    private static bool IsReminder(string text) => text.StartsWith("Faults: visit on ", StringComparison.Ordinal);

    private static string Number(int i) => string.Create(CultureInfo.InvariantCulture, $"+4915120{i:000000}");

    private static JsonObject Person(int i) => JsonNode.Parse($$"""{"resourceType":"Patient","id":"rem-{{i}}","telecom":[{"system":"sms","value":"{{Number(i)}}"}]}""")!.AsObject();

    private static JsonObject Visit(int i, string status, DateTimeOffset start) => JsonNode.Parse($$"""
        {"resourceType":"Appointment","id":"rem-{{i}}","status":"{{status}}","start":"{{start:yyyy-MM-ddTHH:mm:ss.fffZ}}","end":"{{start.AddMinutes(20):yyyy-MM-ddTHH:mm:ss.fffZ}}",
         "participant":[{"actor":{"reference":"Patient/rem-{{i}}"},"status":"accepted"}]}
        """)!.AsObject();

    /// <summary>Sent until it is answered: it comes to the same, however often it is carried out.</summary>
    private static async Task WriteAsync(Deployment server, IEnumerable<JsonObject> resources, CancellationToken ct)
    {
        var entries = resources.Select(resource => (JsonNode)new JsonObject
        {
            ["resource"] = resource, ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"{resource["resourceType"]}/{resource["id"]}" },
        });
        var bundle = new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = new JsonArray([.. entries]) };
        await UntilAsync(async () =>
        {
            var (status, body) = await server.SendAsync(HttpMethod.Post, "", bundle, ct);
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict, $"{status} {body}");
            return status == HttpStatusCode.OK;
        }, ct);
    }

    private static async Task<int> WrittenAsync(Deployment server, CancellationToken ct)
    {
        var (status, bundle) = await server.SendAsync(HttpMethod.Get, "Communication?status=completed&_summary=count", null, ct);
        Assert.True(status == HttpStatusCode.OK, $"{status} {bundle}");
        return (int)bundle!["total"]!;
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        while (!await isSo())
        {
            await Task.Delay(100, patience.Token);
        }
    }
}

public sealed class RocksDbReminderKillTests : ReminderKillTests
{
    protected override Deployment Deploy(IEnumerable<KeyValuePair<string, string>> settings) => new ServerProcess { More = settings };
}

/// <summary>One process answers requests, and two with nothing but the role share the work; of these each is killed in turn.</summary>
public sealed class MongoDbReminderKillTests : ReminderKillTests
{
    protected override Deployment Deploy(IEnumerable<KeyValuePair<string, string>> settings) => new Cluster(1, "subscriptions", "subscriptions") { More = settings };
}
