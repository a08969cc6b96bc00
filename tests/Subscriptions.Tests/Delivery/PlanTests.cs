using System.Collections.Immutable;
using CsCheck;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Tests.Support;

namespace Subscriptions.Tests.Delivery;

public sealed class PlanTests
{
    private static readonly SubscriptionOptions Options = new();
    private static readonly Gen<TimeSpan> Pauses = Gen.Int[0, 400_000].Select(seconds => TimeSpan.FromSeconds(seconds));

    /// <summary>Between a half and the whole of what is due, never longer than the longest, never shorter than the receiver asks.</summary>
    [Fact]
    public void Backoff_DoublesUpToItsLimit() =>
        Gen.Select(Gen.Int[1, 5_000], Gen.Double[0, 1], Pauses.Select(pause => pause.Ticks % 2 == 0 ? pause : (TimeSpan?)null)).Sample((attempts, chance, asked) =>
        {
            var pause = Backoff.After(attempts, asked, Options, chance);
            var whole = Math.Min(Math.Pow(2, Math.Min(attempts - 1, 40)), Options.LongestRetry.TotalSeconds);
            var due = asked is { } wait && wait.TotalSeconds > whole ? wait.TotalSeconds : whole;
            return pause.TotalSeconds >= Math.Max(whole / 2, asked?.TotalSeconds ?? 0) - 1e-6 && pause.TotalSeconds <= due + 1e-6;
        });

    /// <summary>
    /// Whatever its state: what is off or has ended is sent nothing, what has failed waits, and nobody is forgotten for longer than the longest
    /// pause, also where the clock was set back and what was last done lies in the future.
    /// </summary>
    [Fact]
    public void Plan_HoldsItsRules() =>
        Gen.Select(
            Gen.Select(Gen.Enum<SubscriptionStatus>(), Gen.Enum<ChannelKind>(), Gen.Bool, Gen.Int[0, 2]),
            Gen.Select(Gen.Long[0, 20], Gen.Long[0, 20], Gen.Int[0, 3], Gen.Bool),
            Gen.Select(Gen.Select(Pauses, Gen.Bool, (ago, isAhead) => isAhead ? -ago : ago), Gen.Select(Pauses, Gen.Bool, (ago, isAhead) => isAhead ? -ago : ago), Pauses, Pauses)).Sample((what, state, times) =>
        {
            var (status, channel, heartbeat, ends) = what;
            var (last, delivered, fault, resends) = state;
            var (seenAgo, sentAgo, endsIn, notBefore) = times;
            var now = House.Opening;
            var definition = new SubscriptionDefinition
            {
                Key = new("Subscription", "s"), Status = status, Criteria = "c", Topic = null, Filters = ImmutableDictionary<string, TypeFilter>.Empty, Channel = channel,
                Heartbeat = heartbeat ? TimeSpan.FromMinutes(1) : null, End = ends switch { 0 => null, 1 => now - endsIn, _ => now + endsIn + TimeSpan.FromSeconds(1) },
            };
            var feed = new Feed
            {
                Id = "00", Subscription = "s", SubscriptionVersion = 1, Counts = true, After = 0, Last = last,
                Fault = fault switch { 1 => FeedFaults.Access, 2 => FeedFaults.Topic, 3 => FeedFaults.Trigger, _ => null },
            };
            var delivery = new DeliveryState { Delivered = Math.Min(delivered, last), NotBefore = notBefore.Ticks % 3 != 0 ? now + notBefore : null };
            var due = OutletPlan.Next(definition, feed, delivery, Options, now, now - sentAgo, now - seenAgo, resends);

            var sends = due.Step is OutletStep.Handshake or OutletStep.Events or OutletStep.Heartbeat or OutletStep.Resend;
            if (status == SubscriptionStatus.Off)
            {
                return due.Step == OutletStep.Wait;
            }
            if (ends == 1)
            {
                return due.Step == OutletStep.TurnOff;
            }
            if (status == SubscriptionStatus.Error)
            {
                return due.Step == OutletStep.TurnOff && due.At > now;
            }
            if (fault is 1 or 2)
            {
                return due.Step == OutletStep.Fail;
            }
            if (channel == ChannelKind.WebSocket && sends)
            {
                return false;
            }
            if (status == SubscriptionStatus.Active && channel != ChannelKind.WebSocket)
            {
                return !(sends && due.At < delivery.NotBefore && delivery.NotBefore <= now + Options.LongestRetry)
                    && due.At <= now + Options.LongestRetry
                    && (!resends || due.Step is OutletStep.Resend or OutletStep.TurnOff)
                    && (resends || last <= delivery.Delivered || due.Step is OutletStep.Events or OutletStep.TurnOff)
                    && due.Step != OutletStep.Wait;
            }
            return due.Step != OutletStep.Wait;
        }, iter: 20_000);

    /// <summary>Every shard is exactly one worker's, whoever else there is; and a worker that comes or goes moves its own shards only.</summary>
    [Fact]
    public void Workers_ShareTheShards() =>
        Gen.Select(Gen.Int.Array[1, 8], Gen.Int).Sample((ids, one) =>
        {
            var workers = ids.Distinct().Select(id => id.ToString("x8", System.Globalization.CultureInfo.InvariantCulture)).ToArray();
            var more = workers.Append($"{one:x8}+").ToArray();
            return Enumerable.Range(0, Shards.Count).All(shard =>
                workers.Contains(Workers.Chosen(shard, workers))
                && Workers.Chosen(shard, workers) == Workers.Chosen(shard, [.. workers.Reverse()])
                && (Workers.Chosen(shard, more) == more[^1] || Workers.Chosen(shard, more) == Workers.Chosen(shard, workers)));
        });

    [Fact]
    public async Task Workers_TakeOverFromWhoIsGone()
    {
        using var house = await House.OpenAsync();
        var every = TimeSpan.FromSeconds(5);
        Workers a = new(house.Records, every, house.Clock), b = new(house.Records, every, house.Clock);
        Assert.Equal(Shards.Count, (await a.MeetAsync(default)).Count);
        var both = (await b.MeetAsync(default)).Union(await a.MeetAsync(default));
        Assert.Equal(Shards.Count, both.Count);
        Assert.Empty((await a.MeetAsync(default)).Intersect(await b.MeetAsync(default)));

        await b.LeaveAsync(default);
        Assert.Equal(Shards.Count, (await a.MeetAsync(default)).Count);
        await b.MeetAsync(default);
        house.Clock.Advance((every * 3) + TimeSpan.FromSeconds(1)); // b has died
        Assert.Equal(Shards.Count, (await a.MeetAsync(default)).Count);
    }
}
