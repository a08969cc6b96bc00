using System.Collections.Concurrent;
using CsCheck;
using Subscriptions.Channels;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Tests.Support;
using Subscriptions.Topics;

namespace Subscriptions.Tests.Delivery;

public sealed class CrashTests
{
    private const string Record = "urn:fhir-server:topic:patient-record";

    /// <summary>
    /// A process that delivers dies again and again, in the middle of anything: after a notification was taken and before that was written
    /// down, with the write carried out or not. The receiver gets each number, in order; a repetition is the same notification as the one before.
    /// </summary>
    [Fact]
    public async Task Deliverer_DyingAnywhere_LosesNothing_AndRepeatsOneNotificationAtMost() =>
        await Gen.Select(Gen.Int[1, 30], Gen.Int[1, 6], Gen.Int[0, 3].Array[0, 12], Gen.Int[0, 4].Array[0, 6]).SampleAsync(async (events, most, faults, deaths) =>
        {
            var store = new FaultyStore();
            using var house = await OpenAsync(store, events, most);
            store.Plan(faults);
            var lives = 0;
            foreach (var death in deaths)
            {
                lives++;
                var before = house.Hook.Sent.Count;
                await using var life = await Delivering.StartAsync(house, "s");
                await house.UntilAsync(async () => house.Hook.Sent.Count >= before + death || await DoneAsync(house, events), TimeSpan.FromMilliseconds(100));
            }
            await using (await Delivering.StartAsync(house, "s"))
            {
                await house.UntilAsync(() => DoneAsync(house, events), TimeSpan.FromMilliseconds(100));
            }
            var (receiver, repeated) = Receive(house.Hook.Sent);
            return receiver == events && repeated <= lives + faults.Count(fault => fault is 1 or 2);
        }, iter: 40);

    /// <summary>A lease that two processes believe they hold: the position is written by one of them, and never passes what nobody was sent.</summary>
    [Fact]
    public async Task TwoDeliverers_AtOnce_LeaveNoGap()
    {
        var store = new FaultyStore();
        using var house = await OpenAsync(store, 60, 3);
        await using (await Delivering.StartAsync(house, "s"))
        await using (await Delivering.StartAsync(house, "s"))
        {
            await house.UntilAsync(() => DoneAsync(house, 60), TimeSpan.FromMilliseconds(100));
        }
        var taken = new HashSet<long>(house.Hook.Sent.SelectMany(sent => sent.Numbers()));
        Assert.Equal(60, taken.Count);
    }

    /// <summary>What is heard while the feed is read, in whatever order, never hides an event or repeats one.</summary>
    [Fact]
    public void Inbox_GivesEachEventOnce_OrSaysThatItMustBeRead() =>
        Gen.Select(Gen.Int[1, 5].Array[1, 30], Gen.Int[0, 3].Array[30], Gen.Int[1, 9].Array[1, 40]).Sample((blocks, heard, takes) =>
        {
            var feed = new Feed { Id = "00", Subscription = "s", SubscriptionVersion = 1, Counts = true, After = 0 };
            var inbox = new OutletInbox(feed);
            var (last, delivered) = (0L, 0L);
            for (var i = 0; i < blocks.Length; i++)
            {
                var block = new FeedBlock { Feed = "00", First = last + 1, Events = [.. Enumerable.Range(0, blocks[i]).Select(_ => Happened)] };
                last = block.Last;
                if (heard[i % heard.Length] > 0)
                {
                    inbox.Hear(feed with { Last = last }, heard[i % heard.Length] > 1 ? block : null); // some are missed, some are found by looking
                }
                if (inbox.Take(delivered, takes[i % takes.Length]) is { } taken)
                {
                    if (!taken.Select(one => one.Number).SequenceEqual(Enumerable.Range(0, taken.Count).Select(next => delivered + 1 + next)) || taken.Count > takes[i % takes.Length])
                    {
                        return false;
                    }
                    delivered += taken.Count;
                }
                else if (i % 2 == 0)
                {
                    delivered = inbox.Feed.Last; // read from the store
                }
            }
            return delivered <= last;
        });

    [Fact]
    public async Task Inbox_WakesWhoeverWaits()
    {
        var feed = new Feed { Id = "00", Subscription = "s", SubscriptionVersion = 1, Counts = true, After = 0 };
        var inbox = new OutletInbox(feed);
        var next = inbox.Next;
        inbox.Hear(feed, null);
        Assert.False(next.IsCompleted); // nothing new
        inbox.Hear(feed with { Last = 1 }, null);
        await next;
        Assert.False(inbox.Next.IsCompleted);
    }

    private static FeedEvent Happened => new() { Type = "Observation", Id = "o", Version = 1, How = ResourceInteraction.Create, At = House.Opening };

    private static async Task<House> OpenAsync(FaultyStore store, int events, int most)
    {
        var house = await House.OpenAsync(wrap: inner => store.Over(inner));
        await house.PutAsync(House.Subscription("s", Record, channel: $$""","extension":[{"url":"{{Backport.MaxCount}}","valuePositiveInt":{{most}}}]"""), House.Grant());
        for (var i = 0; i < events; i++)
        {
            await house.PutAsync($$"""{"resourceType":"Observation","id":"o{{i}}","status":"final","code":{"text":"c"} }""");
        }
        await house.FollowAsync(house.NewMatcher());
        return house;
    }

    private static async Task<bool> DoneAsync(House house, int events) => (await house.StateAsync("s")).Delivered == events;

    /// <summary>As the specification tells a receiver to: what it has is ignored, and must be what it had; a gap is an error.</summary>
    /// <returns>Number of the last event, and how many notifications were repeated.</returns>
    private static (long Last, int Repeated) Receive(IEnumerable<Outgoing> sent)
    {
        var (last, repeated) = (0L, 0);
        var known = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        foreach (var notification in sent.Where(notification => notification.Type == NotificationType.EventNotification))
        {
            var numbers = notification.Numbers();
            var what = string.Join(',', notification.Events().Select(told => told.Part("focus")!.Value.GetRawText()));
            if (known.TryGetValue(notification.Id, out var before))
            {
                Assert.Equal(before, what);
                repeated++;
                continue;
            }
            known[notification.Id] = what;
            Assert.Equal(last + 1, numbers[0]);
            last = numbers[^1];
        }
        return (last, repeated);
    }
}
