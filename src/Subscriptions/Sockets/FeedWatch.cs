using System.Collections.Concurrent;
using System.Collections.Immutable;
using FhirCore.Records;
using Subscriptions.Feeds;

namespace Subscriptions.Sockets;

/// <summary>
/// Wakes the sockets of this process when something has come of their subscriptions: at once when it was matched here, by looking at the
/// shards' stamps when it was matched elsewhere. One look serves all sockets, and nobody looks while there are none.
/// </summary>
public sealed class FeedWatch(IRecordStore records, FeedSignals signals, TimeSpan poll, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, ImmutableHashSet<Action>> _watchers = new(StringComparer.Ordinal);

    public IDisposable Watch(string subscription, Action moved)
    {
        _watchers.AddOrUpdate(subscription, _ => [moved], (_, known) => known.Add(moved));
        return new Watcher(this, subscription, moved);
    }

    public async Task RunAsync(CancellationToken ct)
    {
        using var listening = signals.Listen(news => Wake(news.Subscription));
        var seen = new Dictionary<int, long>();
        while (!ct.IsCancellationRequested)
        {
            try
            {
                foreach (var shard in _watchers.Keys.GroupBy(Shards.Of))
                {
                    var stamp = await records.StampAsync(Shards.Stamp(shard.Key), ct);
                    if (!seen.TryGetValue(shard.Key, out var known) || known != stamp)
                    {
                        seen[shard.Key] = stamp;
                        foreach (var subscription in shard)
                        {
                            Wake(subscription);
                        }
                    }
                }
            }
            catch (StoreUnavailableException)
            {
                // Looked at again.
            }
            await Task.Delay(poll, clock, ct);
        }
    }

    private void Wake(string subscription)
    {
        foreach (var moved in _watchers.GetValueOrDefault(subscription) ?? [])
        {
            moved();
        }
    }

    private sealed class Watcher(FeedWatch owner, string subscription, Action moved) : IDisposable
    {
        public void Dispose()
        {
            while (owner._watchers.TryGetValue(subscription, out var known))
            {
                var left = known.Remove(moved);
                if (left.IsEmpty ? owner._watchers.TryRemove(new(subscription, known)) : owner._watchers.TryUpdate(subscription, left, known))
                {
                    return;
                }
            }
        }
    }
}
