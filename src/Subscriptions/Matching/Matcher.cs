using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore;
using FhirStore.Access;
using FhirStore.Encryption;
using Subscriptions.Definitions;
using Subscriptions.Feeds;
using Subscriptions.Topics;
using Subscriptions.Writing;

namespace Subscriptions.Matching;

/// <summary>
/// From changes to numbered events. What a batch of changes means for each subscription is stored in the commit that says the batch is
/// handled: so numbers have neither gaps nor doubles, whatever dies when.
/// </summary>
/// <param name="sole">No other process matches, so what this one knows of the feeds stays right.</param>
public sealed class Matcher(
    IRecordStore records, RecordCipher cipher, ResourceStore store, SubscriptionRecords own, TopicDirectory directory, DefinitionReader definitions, SubscriberStandings standings,
    FeedSignals signals, ISubscriptionObserver observer, TimeProvider clock, bool sole) : IEventHandler, IDisposable
{
    /// <summary>How long changes of subscriptions that another lane has yet to bring are waited for; then the lane goes on as things stand.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan FaultInterval = TimeSpan.FromMinutes(1);
    private const string SubscriptionType = "Subscription";

    /// <summary>One batch at a time in this process: lanes would only get in one another's way over the numbers.</summary>
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SubscriptionLanes _lanes = new(records);
    private readonly BookReader _reader = new(store, own, definitions);
    private SubscriptionBook? _book;
    private long _stamp;
    private TopicSet? _topics;

    /// <summary>The group that the matchers of all processes share. It wants every type: topics and criteria may name any.</summary>
    public static EventGroup Group { get; } = new("subscriptions", []);

    public void Dispose() => _turn.Dispose();

    public async Task HandleAsync(EventBatch batch, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(batch);
        for (var begun = clock.GetTimestamp(); ;)
        {
            await _turn.WaitAsync(ct);
            try
            {
                if (await KnowsSubscriptionsAsync(batch, clock.GetElapsedTime(begun) >= LongestWait, ct))
                {
                    while (!await TryHandleAsync(batch, ct))
                    {
                        // Another lane was faster: its numbers come first.
                    }
                    return;
                }
            }
            finally
            {
                _turn.Release();
            }
            await Task.Delay(LookAgain, clock, ct);
        }
    }

    private async ValueTask<bool> KnowsSubscriptionsAsync(EventBatch batch, bool isLate, CancellationToken ct)
    {
        if (batch.Events.IsEmpty || !SubscriptionLanes.AreOthersThan(batch.Lane))
        {
            return true;
        }
        var last = batch.Events[^1].Change.Sequence;
        if (isLate)
        {
            _lanes.GiveUp(last);
            return true;
        }
        return await _lanes.AreFollowedAsync(await RefreshAsync(ct), last, ct);
    }

    /// <returns>False where the feeds were not as they were thought to be; nothing was written.</returns>
    /// <exception cref="LaneLostException">Another process follows the lane.</exception>
    private async ValueTask<bool> TryHandleAsync(EventBatch batch, CancellationToken ct)
    {
        var wasKnown = _book;
        var draft = new MatchDraft(await RefreshAsync(ct));
        if (draft.Book != wasKnown)
        {
            foreach (var entry in draft.Book.Entries.Values.Where(entry => !entry.IsStored))
            {
                draft.Put(entry with { IsStored = true });
            }
        }
        await FollowTopicsAsync(draft, ct);
        foreach (var happened in batch.Events)
        {
            if (happened.Change.Key.Type == SubscriptionType)
            {
                await FollowSubscriptionAsync(draft, happened, ct);
            }
            if (draft.Book.Find(happened.Change.Key.Type) is { } plan)
            {
                await MatchAsync(draft, plan, happened, ct);
            }
        }
        if (draft.IsEmpty)
        {
            batch.Idle();
            return true;
        }
        var made = await draft.SealAsync(own, batch.Progress, clock.GetUtcNow(), ct);
        switch (await records.CommitAsync(made.Commit, ct))
        {
            case CommitResult.Done:
                batch.Committed();
                _book = made.Then;
                if (made.ChangesFeeds && !sole)
                {
                    _book = null; // the stamp has moved, and not by this commit alone perhaps: looked at anew with the next batch
                }
                observer.Matched(made.News.Sum(news => news.Added?.Events.Count ?? 0));
                foreach (var news in made.News)
                {
                    signals.Tell(news);
                }
                return true;
            case CommitResult.VersionConflict lost when lost.Key == batch.Progress.Record.Key:
                _book = null;
                throw new LaneLostException(batch.Lane);
            default:
                _book = null;
                return false;
        }
    }

    /// <summary>The feeds as they stand: kept in memory for as long as nobody else has changed them.</summary>
    private async ValueTask<SubscriptionBook> RefreshAsync(CancellationToken ct)
    {
        var stamp = sole ? 0 : await records.StampAsync(SubscriptionRecords.FeedsStamp, ct); // before the feeds: never newer than what is read
        if (_book is null || stamp != _stamp)
        {
            _topics = await directory.ReadAsync(ct);
            _book = await _reader.ReadAsync(_topics, ct);
            _stamp = stamp;
        }
        return _book;
    }

    /// <summary>Topics that have changed are read again, and with them the subscriptions that rest on them.</summary>
    private async ValueTask FollowTopicsAsync(MatchDraft draft, CancellationToken ct)
    {
        var topics = await directory.ReadAsync(ct);
        if (ReferenceEquals(topics, _topics))
        {
            return;
        }
        foreach (var entry in draft.Book.Entries.Values.Where(entry => entry.Wanted is null or { Topic: not null }))
        {
            var anew = await _reader.CompileAsync(entry.Feed, entry.Version, topics, ct);
            if (anew.Wanted?.Topic != entry.Wanted?.Topic && anew.Feed.Fault == FeedFaults.Trigger)
            {
                anew = anew with { Feed = anew.Feed with { Fault = null, FaultAt = null } }; // what could not be evaluated is another trigger now
            }
            if (anew.Feed.Fault != entry.Feed.Fault || anew.Wanted?.Topic != entry.Wanted?.Topic)
            {
                draft.Put(anew);
            }
        }
        _topics = topics;
    }

    private async ValueTask FollowSubscriptionAsync(MatchDraft draft, ResourceEvent happened, CancellationToken ct)
    {
        var id = happened.Change.Key.Id;
        if (happened.Change.Deleted || happened.Version is null)
        {
            draft.Remove(id);
            return;
        }
        var known = draft.Find(id);
        if (known is not null && known.Feed.SubscriptionVersion >= happened.Change.Version)
        {
            return; // given again
        }
        var status = await StatusOfAsync(happened, ct);
        if (known is not null && happened.Change.Cause == StatusWriter.Cause)
        {
            draft.Put(known with { Feed = known.Feed with { SubscriptionVersion = happened.Change.Version, Counts = status != SubscriptionStatus.Off } });
            return; // the server's own: only the status is another
        }
        var feed = known?.Feed ?? new Feed
        {
            Id = SubscriptionRecords.NewFeedId(), Subscription = id, SubscriptionVersion = 0, Counts = false, After = happened.Change.Sequence,
        };
        feed = feed with
        {
            SubscriptionVersion = happened.Change.Version,
            Counts = status != SubscriptionStatus.Off,
            After = feed.Counts ? feed.After : happened.Change.Sequence,
            Fault = null,
            FaultAt = null,
        };
        draft.Put(await _reader.CompileAsync(feed, known?.Version ?? 0, _topics!, ct));
    }

    private async ValueTask<SubscriptionStatus> StatusOfAsync(ResourceEvent happened, CancellationToken ct)
    {
        using var document = JsonDocument.Parse(await cipher.OpenAsync(happened.Version!, ct), new() { MaxDepth = 1_000 });
        return DefinitionReader.StatusOf(document.RootElement.TryGetProperty("status"u8, out var status) ? status.GetString() : null);
    }

    private async ValueTask MatchAsync(MatchDraft draft, TypePlan plan, ResourceEvent happened, CancellationToken ct)
    {
        var change = happened.Change;
        if (!change.Deleted && happened.Version is null)
        {
            return; // its patient was erased
        }
        using var opened = await OpenAsync(happened, plan.NeedsPrevious, ct);
        if (opened.Content is not { } content)
        {
            return;
        }
        var named = NamedResources.In(change.Key, opened.Bytes.Span);
        foreach (var topic in plan.Topics)
        {
            if (Fires(draft, topic, opened))
            {
                await AddAsync(draft, topic.Candidates.For(named), opened, content, change, ct);
            }
        }
        if (opened.Interaction != ResourceInteraction.Delete)
        {
            await AddAsync(draft, plan.Criteria.For(named), opened, content, change, ct); // R4: resources that are created or updated
        }
    }

    private async ValueTask AddAsync(MatchDraft draft, IEnumerable<Candidate> candidates, ResourceChange opened, JsonElement content, ChangeRow change, CancellationToken ct)
    {
        foreach (var candidate in candidates)
        {
            if (!candidate.Filter.Matches(change.Key, content) || draft.Find(candidate.Subscription) is not { Grant: { } grant } entry
                || entry.Feed.Fault == FeedFaults.Access || change.Sequence <= entry.Feed.After)
            {
                continue;
            }
            if (!(await standings.StandAsync(grant, ct)).TryGet(out var standing, out _))
            {
                draft.Put(entry with { Feed = entry.Feed with { Fault = FeedFaults.Access, FaultAt = clock.GetUtcNow() } });
            }
            // What the subscriber may not see gets no number, so that the numbers tell nothing of it.
            else if (standing.Caller?.Reach(Use.Read, change.Key.Type).Admits(change.Key, content) is not false)
            {
                draft.Add(candidate.Subscription, new() { Type = change.Key.Type, Id = change.Key.Id, Version = change.Version, How = opened.Interaction, At = change.At });
            }
        }
    }

    private bool Fires(MatchDraft draft, TopicPlan plan, ResourceChange opened)
    {
        foreach (var trigger in plan.Triggers)
        {
            try
            {
                if (trigger.Fires(opened))
                {
                    return true;
                }
            }
            catch (TriggerFaultException fault)
            {
                Report(draft, plan.Topic, fault);
            }
        }
        return false;
    }

    /// <summary>Says on each subscription of the topic that a trigger could not be evaluated; not for each resource again.</summary>
    private void Report(MatchDraft draft, Topic topic, TriggerFaultException fault)
    {
        var now = clock.GetUtcNow();
        foreach (var entry in draft.Book.Entries.Values.Where(entry => ReferenceEquals(entry.Wanted?.Topic, topic) && !(entry.Feed.FaultAt > now - FaultInterval)).ToArray())
        {
            draft.Put(entry with { Feed = entry.Feed with { Fault = FeedFaults.Trigger, FaultAt = now } });
            observer.TriggerFailed(topic.Url, fault.Message);
        }
    }

    private async ValueTask<ResourceChange> OpenAsync(ResourceEvent happened, bool needsPrevious, CancellationToken ct)
    {
        var change = happened.Change;
        var now = change.Deleted ? null : new StoredResource(change.Key, change.Version, change.At, false, await cipher.OpenAsync(happened.Version!, ct));
        var before = change.Version > 1 && (change.Deleted || needsPrevious) ? await store.ReadVersionAsync(change.Key, change.Version - 1, ct) : null;
        var created = before?.Deleted ?? (change.Version == 1 || (!needsPrevious && change.Cause == "create"));
        return new(change.Key, now, before)
        {
            Interaction = change.Deleted ? ResourceInteraction.Delete : created ? ResourceInteraction.Create : ResourceInteraction.Update,
        };
    }
}
