using FhirCore.Records;
using FhirStore;
using FhirStore.Sealed;

namespace Subscriptions.Feeds;

/// <summary>Removes events that are older than events are kept, what is left of subscriptions that are gone, and tokens that nobody used.</summary>
public sealed class FeedSweep(SubscriptionRecords own, ResourceStore store, SubscriptionOptions options, TimeProvider clock)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private const int BlocksAtOnce = 200;

    /// <returns>How many records went.</returns>
    public async Task<long> RunAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var removed = 0L;
        await foreach (var feed in own.Feeds.QueryAsync(Predicate.Everything, ct))
        {
            removed += await SweepAsync(feed.Value.Id, now - options.KeepEvents, ct);
        }
        await foreach (var gone in own.Gone.QueryAsync(Predicate.Everything, ct))
        {
            removed += await SweepAsync(gone.Id, DateTimeOffset.MaxValue, ct);
            removed += await own.Deliveries.FindAsync(gone.Id, ct) is { } delivery && await own.Deliveries.TryRemoveAsync(gone.Id, delivery.Version, ct) ? 1 : 0;
            removed += gone.Value.At < now - Interval && await own.Gone.TryRemoveAsync(gone.Id, gone.Version, ct) ? 1 : 0; // whoever delivered it may have written once more
        }
        await foreach (var subscriber in own.Subscribers.QueryAsync(Predicate.Everything, ct))
        {
            if (subscriber.Value.Grant is null && await store.ReadAsync(new("Subscription", subscriber.Id), ct) is null or { Deleted: true })
            {
                removed += await own.Subscribers.TryRemoveAsync(subscriber.Id, subscriber.Version, ct) ? 1 : 0;
            }
        }
        await foreach (var binding in own.Bindings.QueryAsync(EndsField.Before(now), ct))
        {
            removed += await own.Bindings.TryRemoveAsync(binding.Id, binding.Version, ct) ? 1 : 0;
        }
        return removed;
    }

    /// <summary>Oldest first, so that what is kept has no holes.</summary>
    private async ValueTask<long> SweepAsync(string feed, DateTimeOffset before, CancellationToken ct)
    {
        var removed = 0L;
        while (true)
        {
            var blocks = await own.Blocks.PageAsync(SubscriptionRecords.BlocksOf(feed), null, BlocksAtOnce, ct);
            foreach (var block in blocks)
            {
                if (block.Value.Events[^1].At >= before)
                {
                    return removed;
                }
                removed += await own.Blocks.TryRemoveAsync(block.Id, block.Version, ct) ? 1 : 0;
            }
            if (blocks.Count < BlocksAtOnce)
            {
                return removed;
            }
        }
    }
}
