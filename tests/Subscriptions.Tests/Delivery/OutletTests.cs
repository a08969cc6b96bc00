using System.Collections.Concurrent;
using System.Text;
using FhirCore;
using FhirStore.Access;
using Subscriptions.Channels;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Json;
using Subscriptions.Tests.Matching;
using Subscriptions.Tests.Support;

namespace Subscriptions.Tests.Delivery;

public sealed class OutletTests
{
    private const string Record = "urn:fhir-server:topic:patient-record";
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);
    private static readonly SendOutcome Unavailable = new SendOutcome.Failed("http-503");

    [Fact]
    public async Task Events_AreToldInOrder_InBatchesOfMaxCount()
    {
        using var house = await OpenAsync(events: 30, channel: MaxCount(7));
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(() => Notifications(house).Sum(sent => sent.Events) == 30);

        Assert.Equal(NotificationType.Handshake, house.Hook.Sent[0].Type);
        Assert.Equal(Enumerable.Range(1, 30).Select(number => (long)number), Notifications(house).SelectMany(sent => sent.Numbers()));
        Assert.Equal([7, 7, 7, 7, 2], Notifications(house).Select(sent => sent.Events));
        Assert.Equal("active", await house.StatusAsync("s"));
        await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 30);
        Assert.Equal(0, delivering.Outlet.Pending);
    }

    [Fact]
    public async Task Receiver_Away_IsTriedAgainWithGrowingPauses_AndIsSentTheSameNotification()
    {
        using var house = await OpenAsync(events: 2);
        var times = new ConcurrentQueue<DateTimeOffset>();
        house.Hook.Answer = sent =>
        {
            if (sent.Type == NotificationType.Handshake)
            {
                return Task.FromResult(SendOutcome.Done);
            }
            times.Enqueue(house.Clock.GetUtcNow());
            return Task.FromResult(times.Count <= 5 ? Unavailable : SendOutcome.Done);
        };
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 2, Step);

        var pauses = times.Zip(times.Skip(1), (a, b) => b - a).ToArray();
        Assert.Equal(5, pauses.Length);
        Assert.All(pauses.Index(), pause => Assert.True(pause.Item >= TimeSpan.FromSeconds(0.5 * Math.Pow(2, pause.Index)), $"{pause.Item} after attempt {pause.Index + 1}"));
        Assert.Single(Notifications(house).Select(sent => sent.Id).Distinct());
        var state = await house.StateAsync("s");
        Assert.Equal((null, 0, null), (state.FailingSince, state.Attempts, state.Problem));
    }

    [Fact]
    public async Task RetryAfter_IsKept()
    {
        using var house = await OpenAsync(events: 1);
        var times = new ConcurrentQueue<DateTimeOffset>();
        house.Hook.Answer = sent =>
        {
            times.Enqueue(house.Clock.GetUtcNow());
            return Task.FromResult(sent.Type != NotificationType.Handshake && times.Count == 2 ? new SendOutcome.Failed("http-429", TimeSpan.FromSeconds(90)) : SendOutcome.Done);
        };
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(() => times.Count == 3, TimeSpan.FromSeconds(1));

        Assert.True(times.ElementAt(2) - times.ElementAt(1) >= TimeSpan.FromSeconds(90));
    }

    /// <summary>After days of failure the status says so and nothing is sent; whoever mends the receiver makes it active again, and nothing was lost.</summary>
    [Fact]
    public async Task Receiver_AwayForDays_ComesToErrorAndGoesOnWhereItStopped()
    {
        using var house = await OpenAsync(events: 3);
        house.Hook.Answer = sent => Task.FromResult(sent.Type == NotificationType.Handshake ? SendOutcome.Done : Unavailable);
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "error", TimeSpan.FromMinutes(10));
        Assert.True(house.Clock.GetUtcNow() - House.Opening >= house.Options.RetryFor);
        Assert.InRange(Notifications(house).Count, 72, 200); // doubling to an hour, jitter between a half and the whole
        await ObserveAsync(house, 3);
        await house.FollowAsync(house.NewMatcher());
        var attempts = house.Hook.Sent.Count;

        house.Hook.Answer = _ => Task.FromResult(SendOutcome.Done);
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await house.FollowAsync(house.NewMatcher());
        await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 4);
        Assert.Equal("active", await house.StatusAsync("s"));
        Assert.Equal(NotificationType.Handshake, house.Hook.Sent[attempts].Type);
        Assert.Equal([1, 2, 3, 4], house.Hook.Sent.Skip(attempts + 1).SelectMany(sent => sent.Numbers()));
    }

    [Fact]
    public async Task Subscription_InErrorForTooLong_IsTurnedOff()
    {
        using var house = await OpenAsync(events: 0);
        house.Hook.Answer = _ => Task.FromResult(Unavailable);
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "error");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "off", TimeSpan.FromHours(1));

        Assert.True(house.Clock.GetUtcNow() - House.Opening >= house.Options.ErrorFor);
        Assert.Single(house.Hook.Sent);
    }

    [Fact]
    public async Task Gone_TurnsItOff()
    {
        using var house = await OpenAsync(events: 1);
        house.Hook.Answer = sent => Task.FromResult(sent.Type == NotificationType.Handshake ? SendOutcome.Done : new SendOutcome.Gone("http-410"));
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "off");

        Assert.Single(Notifications(house));
    }

    /// <summary>A receiver that chokes on one event gets all others, in order; that one is set aside, is said to be, and can be had again.</summary>
    [Fact]
    public async Task Event_ThatTheReceiverRefuses_IsSetAside_AndHoldsUpNoOther()
    {
        using var house = await OpenAsync(events: 40);
        house.Hook.Answer = sent => Task.FromResult(
            sent.Type == NotificationType.EventNotification && sent.Numbers().Contains(23) ? new SendOutcome.Failed("http-400", IsAboutContent: true) : SendOutcome.Done);
        var taken = new List<long>();
        await using (await Delivering.StartAsync(house, "s"))
        {
            await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 40, Step);
            taken.AddRange(Notifications(house).Select(sent => sent.Numbers()).Where(numbers => !numbers.Contains(23)).SelectMany(numbers => numbers));
        }

        Assert.Equal(Enumerable.Range(1, 40).Select(number => (long)number).Where(number => number != 23), taken);
        var letter = Assert.Single((await house.StateAsync("s")).DeadLetters);
        Assert.Equal((23, 23, "http-400"), (letter.First, letter.Last, letter.Problem));
        Assert.Equal("active", await house.StatusAsync("s"));
        Assert.Contains("set aside 1", house.Observer.Lines);
    }

    [Fact]
    public async Task Receiver_ThatRefusesWhateverItIsSent_IsNotSentEverythingSixTimes()
    {
        using var house = await OpenAsync(events: 200);
        house.Hook.Answer = sent => Task.FromResult(sent.Type == NotificationType.Handshake ? SendOutcome.Done : new SendOutcome.Failed("http-422", IsAboutContent: true));
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "error", TimeSpan.FromSeconds(1));

        Assert.InRange(Notifications(house).Count, 18, 40);
        Assert.Equal(3, (await house.StateAsync("s")).Delivered);
    }

    /// <summary>The access that counts is the one that stands when an event is told, not the one when it happened.</summary>
    [Fact]
    public async Task Access_NarrowedAfterTheEvent_HidesIt()
    {
        using var house = await OpenAsync(events: 4, content: "full-resource");
        house.Access.Standings["app"] = new SubscriberStanding(new MatcherTests.Limited(house.Compiler.Compile("Observation", new ResourceCondition.InCompartment("p1"))));
        house.Clock.Advance(SubscriberStandings.Lifetime);
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(() => Notifications(house).Sum(sent => sent.Events) == 4);

        var sent = Assert.Single(Notifications(house));
        Assert.Equal([1, 2, 3, 4], sent.Numbers());
        Assert.Equal([null, "http://test/fhir/Observation/o1", null, "http://test/fhir/Observation/o3"], sent.Events().Select(told => told.Part("focus")!.Value.GetProperty("valueReference").Text("reference")));
        var text = Encoding.UTF8.GetString(sent.Bundle!.Value.Span);
        Assert.DoesNotContain("Observation/o0", text, StringComparison.Ordinal);
        Assert.DoesNotContain("text-0", text, StringComparison.Ordinal);
        Assert.Contains("text-1", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Access_Ended_NothingIsSentAndTheStatusSaysWhy()
    {
        using var house = await OpenAsync(events: 0);
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "active");
        house.Access.Standings["app"] = FhirFailure.Of(FailureKind.Forbidden, "Ended.");

        await house.UntilAsync(async () => await house.StatusAsync("s") == "error", TimeSpan.FromMinutes(1)); // though nothing happens
        Assert.Equal(Problems.AccessEnded, (await house.StateAsync("s")).Problem);
        Assert.Empty(Notifications(house));
    }

    [Fact]
    public async Task Resend_RepeatsNumbersAndIds()
    {
        using var house = await OpenAsync(events: 12, channel: MaxCount(5));
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 12);
        var before = house.Hook.Sent.Count;
        var feed = (await house.Own.Feeds.FindAsync("s", default))!.Value;
        await house.Own.Resends.TryWriteAsync("r", new("s", feed.Id, 4, 11, house.Clock.GetUtcNow()), 0, null, default);
        delivering.Outlet.Inbox.Hear([(await house.Own.Resends.FindAsync("r", default))!]);
        await house.UntilAsync(async () => await house.Own.Resends.FindAsync("r", default) is null);

        Assert.Equal([4L, 5, 6, 7, 8, 9, 10, 11], house.Hook.Sent.Skip(before).SelectMany(sent => sent.Numbers()));
        Assert.Equal($"{feed.Id}.4-8", house.Hook.Sent[before].Id);
        Assert.Equal(12, (await house.StateAsync("s")).Delivered);
    }

    [Fact]
    public async Task Heartbeat_ComesWhenNothingElseDoes()
    {
        using var house = await OpenAsync(events: 0, channel: $$""","extension":[{"url":"{{Backport.HeartbeatPeriod}}","valueUnsignedInt":60}]""");
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(() => house.Hook.Sent.Count(sent => sent.Type == NotificationType.Heartbeat) == 3, TimeSpan.FromSeconds(1));

        Assert.InRange(house.Clock.GetUtcNow() - House.Opening, TimeSpan.FromSeconds(180), TimeSpan.FromSeconds(600));
        Assert.Equal(3, house.Hook.Sent.Where(sent => sent.Type == NotificationType.Heartbeat).Select(sent => sent.Id).Distinct().Count());
    }

    [Fact]
    public async Task End_TurnsItOff()
    {
        using var house = await OpenAsync(events: 0, extra: ",\"end\":\"2030-01-07T09:00:00Z\"");
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "active");
        await house.UntilAsync(async () => await house.StatusAsync("s") == "off", TimeSpan.FromMinutes(1));

        Assert.True(house.Clock.GetUtcNow() >= House.Opening.AddHours(1));
    }

    /// <summary>Events that were kept for as long as events are kept are missing in the end: that is said, and the next ones come.</summary>
    [Fact]
    public async Task Events_NoLongerKept_AreNamedAsSetAside()
    {
        using var house = await OpenAsync(events: 3);
        house.Clock.Advance(house.Options.KeepEvents + TimeSpan.FromMinutes(1));
        await ObserveAsync(house, 3);
        await house.FollowAsync(house.NewMatcher());
        await new FeedSweep(house.Own, house.Store, house.Options, house.Clock).RunAsync(default);
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 4);

        Assert.Equal([4], Notifications(house).SelectMany(sent => sent.Numbers()));
        var letter = Assert.Single((await house.StateAsync("s")).DeadLetters);
        Assert.Equal((1, 3, "expired"), (letter.First, letter.Last, letter.Problem));
    }

    /// <summary>R4's own notifications carry one resource each.</summary>
    [Fact]
    public async Task Criteria_TellOneResourceEach()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync("""
            {"resourceType":"Subscription","id":"s","status":"requested","reason":"r","criteria":"Observation?status=final",
             "channel":{"type":"rest-hook","endpoint":"https://subscriber.example.org/hook","payload":"application/fhir+json"} }
            """, House.Grant());
        await ObserveAsync(house, 0, 1, 2);
        await house.FollowAsync(house.NewMatcher());
        await using var delivering = await Delivering.StartAsync(house, "s");
        await house.UntilAsync(() => house.Hook.Sent.Count == 3);

        Assert.Equal(["Observation/o0", "Observation/o1", "Observation/o2"], house.Hook.Sent.Select(sent => sent.Resource!.Key.ToString()));
        Assert.All(house.Hook.Sent, sent => Assert.Null(sent.Bundle));
    }

    /// <param name="events">Observations of p0 and p1 by turns, followed already.</param>
    private static async Task<House> OpenAsync(int events, string content = "id-only", string channel = "", string extra = "")
    {
        var house = await House.OpenAsync();
        await house.PutAsync(House.Subscription("s", Record, content, channel: channel, extra: extra), House.Grant());
        await ObserveAsync(house, [.. Enumerable.Range(0, events)]);
        await house.FollowAsync(house.NewMatcher());
        return house;
    }

    private static async Task ObserveAsync(House house, params int[] numbers)
    {
        foreach (var number in numbers)
        {
            await house.PutAsync($$"""{"resourceType":"Observation","id":"o{{number}}","status":"final","code":{"text":"text-{{number}}"},"subject":{"reference":"Patient/p{{number % 2}}" } }""");
        }
    }

    private static IReadOnlyList<Outgoing> Notifications(House house) => [.. house.Hook.Sent.Where(sent => sent.Type == NotificationType.EventNotification)];

    private static string MaxCount(int most) => $$""","extension":[{"url":"{{Backport.MaxCount}}","valuePositiveInt":{{most}}}]""";
}
