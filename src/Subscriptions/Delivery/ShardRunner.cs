using System.Collections.Concurrent;
using FhirCore.Records;
using Subscriptions.Feeds;

namespace Subscriptions.Delivery;

/// <summary>Delivers the subscriptions of one shard, for as long as it is this process's to do.</summary>
/// <param name="poll">How often what other processes have matched is looked for; what this one matches is heard at once.</param>
public sealed class ShardRunner(IRecordStore records, SubscriptionRecords own, FeedSignals signals, OutletTools tools, TimeSpan poll)
{
    private readonly ConcurrentDictionary<int, ConcurrentDictionary<string, Running>> _shards = new();

    private sealed record Running(Outlet Outlet, CancellationTokenSource End, Task Loop);

    /// <summary>Events that wait to be delivered by this process.</summary>
    public long Pending => _shards.Values.Sum(outlets => outlets.Values.Sum(running => running.Outlet.Pending));

    /// <summary>Subscriptions that this process delivers.</summary>
    public int Subscriptions => _shards.Values.Sum(outlets => outlets.Count);

    public async Task RunAsync(int shard, CancellationToken ct)
    {
        var outlets = _shards[shard] = new(StringComparer.Ordinal);
        using var listening = signals.Listen(news =>
        {
            if (Shards.Of(news.Subscription) == shard)
            {
                Hear(outlets, news, ct);
            }
        });
        try
        {
            long? seen = null;
            while (!ct.IsCancellationRequested)
            {
                var stamp = await records.StampAsync(Shards.Stamp(shard), ct); // before the feeds
                if (stamp != seen)
                {
                    await LookAsync(outlets, shard, ct);
                    seen = stamp;
                }
                await Task.Delay(poll, tools.Clock, ct);
            }
        }
        finally
        {
            _shards.TryRemove(shard, out _);
            foreach (var running in outlets.Values)
            {
                await running.End.CancelAsync();
            }
            await Task.WhenAll(outlets.Values.Select(running => running.Loop));
            foreach (var running in outlets.Values)
            {
                running.End.Dispose();
            }
        }
    }

    private async Task LookAsync(ConcurrentDictionary<string, Running> outlets, int shard, CancellationToken ct)
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var feed in own.Feeds.QueryAsync(SubscriptionRecords.InShard(shard), ct))
        {
            there.Add(feed.Id);
            Hear(outlets, new(feed.Id, feed.Value, null), ct);
        }
        foreach (var subscription in outlets.Keys.Where(subscription => !there.Contains(subscription)).ToArray())
        {
            if (await own.Feeds.FindAsync(subscription, ct) is null) // it may have been made while we looked
            {
                Hear(outlets, new(subscription, null, null), ct);
            }
        }
        var resends = new List<FhirStore.Sealed.Sealed<Resend>>();
        await foreach (var resend in own.Resends.QueryAsync(SubscriptionRecords.InShard(shard), ct))
        {
            resends.Add(resend);
        }
        foreach (var asked in resends.GroupBy(resend => resend.Value.Subscription, StringComparer.Ordinal))
        {
            if (outlets.TryGetValue(asked.Key, out var running))
            {
                running.Outlet.Inbox.Hear([.. asked]);
            }
        }
    }

    private void Hear(ConcurrentDictionary<string, Running> outlets, FeedNews news, CancellationToken ct)
    {
        if (news.Feed is not { } feed)
        {
            if (outlets.TryRemove(news.Subscription, out var gone))
            {
                gone.End.Cancel();
                gone.Loop.ContinueWith(_ => gone.End.Dispose(), TaskScheduler.Default);
            }
            return;
        }
        while (true)
        {
            if (outlets.TryGetValue(news.Subscription, out var known))
            {
                known.Outlet.Inbox.Hear(feed, news.Added);
                return;
            }
            if (ct.IsCancellationRequested)
            {
                return;
            }
            var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var outlet = new Outlet(tools, feed);
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var running = new Running(outlet, end, LoopAsync(outlet, start.Task, end.Token));
            if (outlets.TryAdd(news.Subscription, running))
            {
                start.SetResult();
                return;
            }
            end.Cancel();
            start.SetResult();
            end.Dispose();
        }
    }

    private static async Task LoopAsync(Outlet outlet, Task start, CancellationToken ct)
    {
        await start;
        await outlet.RunAsync(ct);
    }
}
