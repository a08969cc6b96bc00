using System.Collections.Immutable;
using System.Text;
using FhirCore;
using FhirStore.Access;
using Subscriptions.Definitions;
using Subscriptions.Feeds;
using Subscriptions.Topics;

namespace Subscriptions.Matching;

/// <summary>One subscription as it is matched.</summary>
/// <param name="Version">Of the feed's record; 0 for one that is not stored yet.</param>
/// <param name="Wanted">Null where nothing can be matched.</param>
/// <param name="Grant">In whose name; null where nobody is known, and nothing is told.</param>
internal sealed record BookEntry(Feed Feed, long Version, WantedEvents? Wanted, KeptGrant? Grant)
{
    /// <summary>The stored feed is the same; otherwise the next commit stores it.</summary>
    public bool IsStored { get; init; } = true;

    public bool Matches => Feed.Counts && Wanted is not null && Grant is not null;
}

/// <summary>The subscriptions to be matched, found by the type of a resource and by what it refers to. Immutable.</summary>
internal sealed class SubscriptionBook
{
    private readonly Lazy<Dictionary<string, TypePlan>> _plans;

    private SubscriptionBook(ImmutableDictionary<string, BookEntry> entries, Lazy<Dictionary<string, TypePlan>>? plans = null)
    {
        Entries = entries;
        _plans = plans ?? new(() => Plan(entries.Values));
    }

    public static SubscriptionBook Empty { get; } = new(ImmutableDictionary.Create<string, BookEntry>(StringComparer.Ordinal));

    /// <summary>By the id of the Subscription.</summary>
    public ImmutableDictionary<string, BookEntry> Entries { get; }

    public SubscriptionBook With(IEnumerable<KeyValuePair<string, BookEntry>> changed, IEnumerable<string> removed)
    {
        var entries = Entries.SetItems(changed).RemoveRange(removed);
        return ReferenceEquals(entries, Entries) ? this : new(entries);
    }

    /// <summary>Feeds have come further; what is matched is what it was.</summary>
    public SubscriptionBook WithFurther(IEnumerable<KeyValuePair<string, BookEntry>> feeds) => new(Entries.SetItems(feeds), _plans);

    public TypePlan? Find(string type) => _plans.Value.GetValueOrDefault(type);

    private static Dictionary<string, TypePlan> Plan(IEnumerable<BookEntry> entries)
    {
        var plans = new Dictionary<string, TypePlan>(StringComparer.Ordinal);
        foreach (var entry in entries.Where(entry => entry.Matches))
        {
            foreach (var (type, filter) in entry.Wanted!.Filters)
            {
                if (!plans.TryGetValue(type, out var plan))
                {
                    plans.Add(type, plan = new());
                }
                plan.Add(type, entry.Wanted.Topic, new(entry.Feed.Subscription, filter));
            }
        }
        return plans;
    }
}

/// <param name="Subscription">Id of the Subscription.</param>
internal sealed record Candidate(string Subscription, TypeFilter Filter);

/// <summary>Who may want to hear of a resource of one type.</summary>
internal sealed class TypePlan
{
    public List<TopicPlan> Topics { get; } = [];

    /// <summary>By R4's own criteria.</summary>
    public CandidateIndex Criteria { get; } = new();

    /// <summary>Some trigger must know what was there before.</summary>
    public bool NeedsPrevious => Topics.Exists(topic => topic.NeedsPrevious);

    public void Add(string type, Topic? topic, Candidate candidate)
    {
        if (topic is null)
        {
            Criteria.Add(candidate);
            return;
        }
        var plan = Topics.Find(known => ReferenceEquals(known.Topic, topic));
        if (plan is null)
        {
            Topics.Add(plan = new(topic, [.. topic.Triggers.Where(trigger => trigger.Type == type)]));
        }
        plan.Candidates.Add(candidate);
    }
}

internal sealed class TopicPlan(Topic topic, ImmutableArray<TopicTrigger> triggers)
{
    private const ResourceInteraction Writes = ResourceInteraction.Create | ResourceInteraction.Update;

    public Topic Topic => topic;

    public ImmutableArray<TopicTrigger> Triggers => triggers;

    public CandidateIndex Candidates { get; } = new();

    /// <summary>Also to tell a creation from an update: a resource that was deleted may come back.</summary>
    public bool NeedsPrevious { get; } = triggers.Any(trigger => trigger.NeedsPrevious || (trigger.Interactions & Writes) is ResourceInteraction.Create or ResourceInteraction.Update);
}

/// <summary>Candidates, those that follow certain resources apart: one patient, one practitioner, one schedule. There may be as many of them as there are resources.</summary>
internal sealed class CandidateIndex
{
    private readonly List<Candidate> _general = [];
    private readonly Dictionary<ResourceKey, List<Candidate>> _byNamed = [];

    public void Add(Candidate candidate)
    {
        if (candidate.Filter.Named.IsEmpty)
        {
            _general.Add(candidate);
            return;
        }
        foreach (var named in candidate.Filter.Named.Distinct())
        {
            if (_byNamed.TryGetValue(named, out var list))
            {
                list.Add(candidate);
            }
            else
            {
                _byNamed.Add(named, [candidate]);
            }
        }
    }

    /// <param name="named">All that the resource names: <see cref="NamedResources"/>.</param>
    /// <returns>Each once, whoever else it is that they follow.</returns>
    public IEnumerable<Candidate> For(IReadOnlyCollection<ResourceKey> named)
    {
        var found = _byNamed.Count == 0 ? [] : named.SelectMany(key => _byNamed.GetValueOrDefault(key) ?? []);
        return _general.Concat(found.Distinct());
    }
}

/// <summary>Which resources one names, in its references and by being one: more than enough to find who follows them, cheap to look for.</summary>
internal static class NamedResources
{
    private const int LongestId = 64;

    /// <param name="json">As it is stored: with no slash escaped.</param>
    public static HashSet<ResourceKey> In(ResourceKey key, ReadOnlySpan<byte> json)
    {
        var found = new HashSet<ResourceKey> { key };
        while (json.IndexOf((byte)'/') is var slash and >= 0)
        {
            var type = slash;
            while (type > 0 && char.IsAsciiLetter((char)json[type - 1]))
            {
                type--;
            }
            var length = 0;
            var id = json[(slash + 1)..];
            while (length < id.Length && length <= LongestId && (char.IsAsciiLetterOrDigit((char)id[length]) || id[length] is (byte)'-' or (byte)'.'))
            {
                length++;
            }
            if (length is > 0 and <= LongestId && type < slash && char.IsAsciiLetterUpper((char)json[type]))
            {
                found.Add(new(Encoding.ASCII.GetString(json[type..slash]), Encoding.ASCII.GetString(id[..length])));
            }
            json = id;
        }
        return found;
    }
}
