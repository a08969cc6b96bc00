using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using StandIns;

namespace Faults.Tests;

/// <summary>
/// Whoever plans and sends reminders is killed again and again: in the middle of planning, and between a message's sending and its mark.
/// What was due goes out once, and nothing of a visit that was cancelled or moved.
/// </summary>
/// <remarks>
/// Nothing depends on how fast the machine is: the visits are hours ahead, and their reminders come due when their service says that it reminds
/// as long before as it is then. In no collection: for the most part of it a minute is waited for, and other tests may run meanwhile.
/// </remarks>
public abstract class ReminderKillTests
{
    /// <summary>Ten thousand is the promise; a build has time for fewer.</summary>
    private static readonly int Visits = int.Parse(Environment.GetEnvironmentVariable("FHIR_FAULT_APPOINTMENTS") ?? "120", CultureInfo.InvariantCulture);

    private const int InOneTransaction = 40;

    /// <summary>So many messages between two kills: with ten thousand visits it is a few seconds.</summary>
    private static readonly int BetweenKills = Math.Max(40, Visits / 20);

    /// <summary>Messages of which the provider says nothing until somebody is killed.</summary>
    private const int InSilence = 4;

    /// <summary>Two messages to each whose visit stays; one to each whose visit was moved before they were told of it.</summary>
    private static readonly int Least = Enumerable.Range(0, Visits).Sum(i => IsCancelled(i) ? 0 : IsMoved(i) ? 1 : 2);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10) + (Visits * TimeSpan.FromMilliseconds(200));

    private int _silent;
    private int _leftSilent = InSilence;
    private int _again = 1;

    protected abstract Deployment Deploy(IEnumerable<KeyValuePair<string, string>> settings);

    [Fact]
    public async Task R01_KilledAgainAndAgain_EveryDueReminderGoesOutOnce()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var twilio = await TwilioStandIn.StartAsync();
        twilio.Latency = TimeSpan.FromMilliseconds(50);
        twilio.Ends = Answer;
        await using var server = Deploy(
        [
            .. twilio.Settings,
            new("Reminders:Before:0", "00:05:00"), new("Reminders:Spacing", "00:00:00"), new("Reminders:QuietHours", ""), new("Reminders:ClinicName", "Faults"),
            new("Reminders:SmsPerDay", "0"), new("Reminders:SmsPerWeek", "0"), new("Reminders:MaxParallelSends", "16"),
            new("Server:LeaseTime", "00:00:03"),
        ]);
        await server.StartAsync(ct);
        await WriteAsync(server, [Service(null)], ct);
        await InChunksAsync(Enumerable.Range(0, Visits), (some, token) => WriteAsync(server, some.Select(Person), token), ct);
        var start = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().AddHours(6).ToUnixTimeSeconds()); // as it is written: in whole seconds

        // Bookings, cancellations and changes, and then all reminders are due at once. Who plans and sends is killed meanwhile, also while the
        // provider has taken a message, or lost it, and does not say so: at the beginning, once more, and when the reminders go out.
        var kills = await KilledMeanwhileAsync(server, twilio, async () =>
        {
            await InChunksAsync(Enumerable.Range(0, Visits), async (some, token) =>
            {
                await WriteAsync(server, some.Select(i => Visit(i, "booked", start)), token);
                await WriteAsync(server, some.Where(IsCancelled).Select(i => Visit(i, "cancelled", start)), token);
                await WriteAsync(server, some.Where(IsMoved).Select(i => Visit(i, "booked", start.AddDays(1))), token);
            }, ct);
            Interlocked.Exchange(ref _leftSilent, InSilence);
            await WriteAsync(server, [Service(start - TimeProvider.System.GetUtcNow().AddSeconds(2))], ct); // later than the last booking, or it would be for those before alone
        }, ct);

        // What was taken is written down, at the latest by whoever asks what became of it; then nothing is left to be sent.
        await UntilAsync(async () => await WrittenAsync(server, ct) >= twilio.Count, ct);
        TestContext.Current.TestOutputHelper?.WriteLine($"{Visits} visits, {kills} kills, {twilio.Count} messages of {twilio.Posts} requests, {twilio.Lists} questions what became of one.");
        Assert.Empty(WrongIn(twilio));
        Assert.True(kills >= 2, $"Only {kills} kills.");
        Assert.True(twilio.Lists > 0, "Nobody had to ask what became of a message.");
        Assert.Equal(twilio.Count, await WrittenAsync(server, ct));
    }

    /// <summary>Kills a process each time that so much more was sent, until all is sent.</summary>
    /// <returns>How often.</returns>
    private async Task<int> KilledMeanwhileAsync(Deployment server, TwilioStandIn twilio, Func<Task> work, CancellationToken ct)
    {
        var (kills, next, working) = (0, BetweenKills / 2, work());
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        while (!patience.IsCancellationRequested && !working.IsFaulted && !HasTooMuch(twilio) && !(working.IsCompleted && twilio.Count >= Least && WrongIn(twilio).Count == 0))
        {
            if (twilio.Count >= next || Volatile.Read(ref _silent) >= InSilence)
            {
                await server.KillAsync();
                if (Interlocked.Exchange(ref _silent, 0) >= InSilence && _again-- > 0)
                {
                    Interlocked.Exchange(ref _leftSilent, InSilence);
                }
                await server.StartAsync(ct);
                kills++;
                next = twilio.Count + BetweenKills;
                TestContext.Current.TestOutputHelper?.WriteLine($"Kill {kills}: {twilio.Count} messages, {WrongIn(twilio).Count} people without what they should have.");
            }
            await Task.Delay(50, ct);
        }
        await working;
        return kills;
    }

    /// <summary>The provider takes a message, or does not, and in both cases says nothing.</summary>
    private Ending Answer(string number, string text)
    {
        if (Interlocked.Decrement(ref _leftSilent) < 0)
        {
            return Ending.Ok;
        }
        return Interlocked.Increment(ref _silent) % 2 == 0 ? new Ending.TakenInSilence() : new Ending.LostInSilence();
    }

    private static bool IsCancelled(int i) => i % 6 == 0;

    private static bool IsMoved(int i) => i % 6 == 1;

    /// <summary>What was sent twice does not become right by waiting.</summary>
    private static bool HasTooMuch(TwilioStandIn twilio) => Enumerable.Range(0, Visits).Any(i => twilio.To(Number(i)).Count > 2);

    /// <summary>What somebody got and should not have, or did not get.</summary>
    private static List<string> WrongIn(TwilioStandIn twilio)
    {
        var wrong = new List<string>();
        for (var i = 0; i < Visits; i++)
        {
            var texts = twilio.To(Number(i)).Select(sms => sms.Body).ToList();
            var (booked, changed, cancelled, reminders) = (Count("booked for "), Count("visit now on "), Count("your visit on "), Count("visit on "));
            // Whoever was not told of the booking yet need not be told that it is cancelled, and is told of the new time as of a booking.
            var isRight = booked + changed + cancelled + reminders == texts.Count && (IsCancelled(i) ? changed + reminders == 0 && cancelled <= 1 && booked <= cancelled
                : IsMoved(i) ? cancelled + reminders == 0 && booked <= 1 && changed <= 1 && booked + changed > 0
                : booked == 1 && changed + cancelled == 0 && reminders == 1);
            if (!isRight)
            {
                wrong.Add($"Visit {i}: {string.Join(" | ", texts)}");
            }

            int Count(string what) => texts.Count(text => text.StartsWith($"Faults: {what}", StringComparison.Ordinal));
        }
        return wrong;
    }

    private static string Number(int i) => string.Create(CultureInfo.InvariantCulture, $"+4915120{i:000000}");

    /// <param name="before">How long before a visit it reminds; null leaves it to the settings.</param>
    private static JsonObject Service(TimeSpan? before)
    {
        var service = new JsonObject { ["resourceType"] = "HealthcareService", ["id"] = "rem-service" };
        if (before is { } time)
        {
            var duration = new JsonObject { ["value"] = Math.Round((decimal)time.TotalMinutes, 4), ["code"] = "min" };
            service["extension"] = new JsonArray(new JsonObject
            {
                ["url"] = "urn:fhir-server:reminders", ["extension"] = new JsonArray(new JsonObject { ["url"] = "before", ["valueDuration"] = duration }),
            });
        }
        return service;
    }

    private static JsonObject Person(int i) => JsonNode.Parse($$"""{"resourceType":"Patient","id":"rem-{{i}}","telecom":[{"system":"sms","value":"{{Number(i)}}"}]}""")!.AsObject();

    private static JsonObject Visit(int i, string status, DateTimeOffset start) => JsonNode.Parse($$"""
        {"resourceType":"Appointment","id":"rem-{{i}}","status":"{{status}}","start":"{{start:yyyy-MM-ddTHH:mm:ss.fffZ}}","end":"{{start.AddMinutes(20):yyyy-MM-ddTHH:mm:ss.fffZ}}",
         "participant":[{"actor":{"reference":"Patient/rem-{{i}}"},"status":"accepted"},{"actor":{"reference":"HealthcareService/rem-service"},"status":"accepted"}]}
        """)!.AsObject();

    private static Task InChunksAsync(IEnumerable<int> all, Func<int[], CancellationToken, Task> work, CancellationToken ct) =>
        Parallel.ForEachAsync(all.Chunk(InOneTransaction), new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = ct }, async (some, token) => await work(some, token));

    /// <summary>Sent until it is answered: it comes to the same, however often it is carried out.</summary>
    private static async Task WriteAsync(Deployment server, IEnumerable<JsonObject> resources, CancellationToken ct)
    {
        var entries = resources.Select(resource => (JsonNode)new JsonObject
        {
            ["resource"] = resource, ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"{resource["resourceType"]}/{resource["id"]}" },
        });
        await server.SendUntilTakenAsync(HttpMethod.Post, "", new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = new JsonArray([.. entries]) }, ct);
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
        while (!patience.IsCancellationRequested && !await isSo())
        {
            await Task.Delay(500, ct);
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
