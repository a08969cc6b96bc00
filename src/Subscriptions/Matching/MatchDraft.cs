using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using Subscriptions.Feeds;

namespace Subscriptions.Matching;

/// <summary>What will be committed for one batch: which feeds there are then, and the events they gain.</summary>
internal sealed class MatchDraft
{
    private readonly SubscriptionBook _before;
    private readonly Dictionary<string, BookEntry> _changed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal);
    private readonly List<string> _gone = [];
    private readonly Dictionary<string, List<FeedEvent>> _events = new(StringComparer.Ordinal);

    public MatchDraft(SubscriptionBook book) => Book = _before = book;

    /// <summary>As it is after what has been drafted so far: a later event of the batch is matched by what an earlier one has changed.</summary>
    public SubscriptionBook Book { get; private set; }

    public bool IsEmpty => _changed.Count == 0 && _removed.Count == 0 && _events.Count == 0;

    /// <summary>Feeds come, go, or match something else.</summary>
    public bool ChangesFeeds => _changed.Count > 0 || _removed.Count > 0;

    public BookEntry? Find(string subscription) => Book.Entries.GetValueOrDefault(subscription);

    public void Put(BookEntry entry)
    {
        if (_removed.Remove(entry.Feed.Subscription))
        {
            entry = entry with { Version = _before.Entries[entry.Feed.Subscription].Version }; // deleted and made again: one record, another feed
        }
        _changed[entry.Feed.Subscription] = entry;
        Book = Book.With([new(entry.Feed.Subscription, entry)], []);
    }

    public void Remove(string subscription)
    {
        _changed.Remove(subscription);
        _events.Remove(subscription);
        if (_before.Entries.TryGetValue(subscription, out var known) && _removed.Add(subscription))
        {
            _gone.Add(known.Feed.Id);
        }
        Book = Book.With([], [subscription]);
    }

    public void Add(string subscription, FeedEvent happened)
    {
        if (!_events.TryGetValue(subscription, out var list))
        {
            _events.Add(subscription, list = []);
        }
        list.Add(happened);
    }

    /// <summary>Numbers the events and seals what is to be written.</summary>
    /// <param name="progress">Written with it.</param>
    public async ValueTask<Sealed> SealAsync(SubscriptionRecords records, RecordWrite progress, DateTimeOffset now, CancellationToken ct)
    {
        var writes = ImmutableArray.CreateBuilder<RecordWrite>();
        writes.Add(progress);
        var keyWrites = new List<RecordWrite>();
        var stamps = new HashSet<string>(StringComparer.Ordinal);
        var news = new List<FeedNews>();
        var after = new Dictionary<string, BookEntry>(StringComparer.Ordinal);
        foreach (var subscription in _changed.Keys.Union(_events.Keys, StringComparer.Ordinal))
        {
            var entry = Book.Entries[subscription];
            var feed = entry.Feed;
            FeedBlock? block = null;
            if (_events.TryGetValue(subscription, out var events))
            {
                block = new() { Feed = feed.Id, First = feed.Last + 1, Events = events };
                feed = feed with { Last = block.Last };
                writes.Add(await records.Blocks.SealAsync(SubscriptionRecords.BlockId(feed.Id, block.Last), block, 0, keyWrites, ct));
            }
            writes.Add(await records.Feeds.SealAsync(subscription, feed, entry.Version, keyWrites, ct));
            after.Add(subscription, entry with { Feed = feed, Version = entry.Version + 1 });
            news.Add(new(subscription, feed, block));
            stamps.Add(Shards.Stamp(Shards.Of(subscription)));
        }
        var removals = ImmutableArray.CreateBuilder<ResourceKey>();
        var conditions = ImmutableArray.CreateBuilder<RecordCondition>();
        foreach (var subscription in _removed)
        {
            var gone = _before.Entries[subscription];
            var key = new ResourceKey(SubscriptionRecords.FeedType, subscription);
            conditions.Add(new RecordCondition.VersionIs(key, gone.Version));
            removals.Add(key);
            news.Add(new(subscription, null, null));
            stamps.Add(Shards.Stamp(Shards.Of(subscription)));
        }
        foreach (var feed in _gone)
        {
            writes.Add(await records.Gone.SealAsync(feed, new(now), 0, keyWrites, ct));
        }
        if (ChangesFeeds)
        {
            stamps.Add(SubscriptionRecords.FeedsStamp);
        }
        writes.AddRange(keyWrites);
        return new(new(writes.DrainToImmutable(), conditions.DrainToImmutable(), removals.DrainToImmutable()) { Stamps = [.. stamps] }, Book.WithFurther(after), news, ChangesFeeds);
    }

    /// <param name="Then">The book once it is committed.</param>
    internal sealed record Sealed(Commit Commit, SubscriptionBook Then, IReadOnlyList<FeedNews> News, bool ChangesFeeds);
}
