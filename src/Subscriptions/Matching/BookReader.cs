using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using Subscriptions.Definitions;
using Subscriptions.Feeds;
using Subscriptions.Topics;

namespace Subscriptions.Matching;

/// <summary>From stored feeds to what is matched: each with the version of its Subscription that the feed has come to.</summary>
internal sealed class BookReader(ResourceStore store, SubscriptionRecords own, DefinitionReader definitions)
{
    public async ValueTask<SubscriptionBook> ReadAsync(TopicSet topics, CancellationToken ct)
    {
        var entries = ImmutableDictionary.CreateBuilder<string, BookEntry>(StringComparer.Ordinal);
        await foreach (var found in own.Feeds.QueryAsync(Predicate.Everything, ct))
        {
            var entry = await CompileAsync(found.Value, found.Version, topics, ct);
            entries.Add(found.Id, entry with { IsStored = entry.Feed == found.Value });
        }
        return SubscriptionBook.Empty.With(entries, []);
    }

    /// <param name="version">Of the feed's record; 0 where there is none yet.</param>
    public async ValueTask<BookEntry> CompileAsync(Feed feed, long version, TopicSet topics, CancellationToken ct)
    {
        var subscription = await store.ReadVersionAsync(new("Subscription", feed.Subscription), feed.SubscriptionVersion, ct);
        if (subscription is null or { Deleted: true })
        {
            return new(feed, version, null, null);
        }
        using var document = JsonDocument.Parse(subscription.Json, new() { MaxDepth = 1_000 });
        var grant = (await own.Subscribers.FindAsync(feed.Subscription, ct))?.Value.Grant;
        if (!definitions.ReadWanted(document.RootElement, topics).TryGet(out var wanted, out _))
        {
            return new(feed with { Fault = FeedFaults.Topic, FaultAt = feed.FaultAt ?? subscription.LastUpdated }, version, null, grant);
        }
        return new(feed.Fault == FeedFaults.Topic ? feed with { Fault = null, FaultAt = null } : feed, version, wanted, grant);
    }
}
