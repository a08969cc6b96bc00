using System.Text.Json;
using FhirCore;
using FhirStore;
using FhirStore.Access;
using FhirStore.Search;
using Subscriptions.Definitions;
using Subscriptions.Feeds;
using Subscriptions.Topics;

namespace Subscriptions.Delivery;

/// <summary>Reads what events are about, each resource within the reach of who is told: at the moment they are told, not when it happened.</summary>
public sealed class EventTeller(ResourceStore store, SubscriptionRecords own, SearchOptions search)
{
    private const int BlocksAtOnce = 32;
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };

    /// <returns>Events of the feed from one number to another, both included, as far as they are kept; at most <paramref name="limit"/>.</returns>
    public async ValueTask<IReadOnlyList<NumberedEvent>> ReadAsync(string feed, long first, long last, int limit, CancellationToken ct)
    {
        var found = new List<NumberedEvent>();
        var after = first - 1;
        while (found.Count < limit && after < last)
        {
            var blocks = await own.Blocks.PageAsync(SubscriptionRecords.BlocksOf(feed), SubscriptionRecords.BlockId(feed, Math.Max(0, after)), BlocksAtOnce, ct);
            foreach (var block in blocks)
            {
                for (var i = Math.Max(0, first - block.Value.First); i < block.Value.Events.Count && found.Count < limit && block.Value.First + i <= last; i++)
                {
                    found.Add(new(block.Value.First + i, block.Value.Events[(int)i]));
                }
                after = block.Value.Last;
            }
            if (blocks.Count < BlocksAtOnce)
            {
                break;
            }
        }
        return found;
    }

    /// <param name="topic">Null for R4's own criteria.</param>
    /// <param name="caller">Null is not limited.</param>
    public async ValueTask<IReadOnlyList<ToldEvent>> TellAsync(IReadOnlyList<NumberedEvent> events, ContentLevel content, Topic? topic, ICaller? caller, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(events);
        var told = new List<ToldEvent>(events.Count);
        foreach (var one in events)
        {
            told.Add(await TellAsync(one, content, topic, caller, ct));
        }
        return told;
    }

    private async ValueTask<ToldEvent> TellAsync(NumberedEvent one, ContentLevel content, Topic? topic, ICaller? caller, CancellationToken ct)
    {
        var told = new ToldEvent(one.Number, one.Event);
        var key = one.Event.Key;
        var reach = caller?.Reach(Use.Read, key.Type) is { IsEverything: false } limited ? limited : null;
        var includes = content == ContentLevel.Empty || topic is null ? [] : topic.Includes.Where(include => include.Type == key.Type).ToArray();
        if (reach is null && includes.Length == 0 && content != ContentLevel.FullResource)
        {
            return told;
        }
        var version = await store.ReadVersionAsync(key, one.Event.Version, ct);
        var what = version is null ? null : await store.ReadContentAsync(version, ct);
        if (what is null)
        {
            return told with { IsWithheld = true };
        }
        using var document = JsonDocument.Parse(what.Json, Depth);
        if (reach?.Admits(key, document.RootElement) is false)
        {
            return told with { IsWithheld = true };
        }
        var context = new List<ToldContext>();
        foreach (var include in includes)
        {
            foreach (var target in ResourceReferences.Of(include.Type, include.Parameter, include.Target, document.RootElement, search.BaseUrl))
            {
                if (await IncludeAsync(target, content, caller, ct) is { } included && !context.Exists(known => known.Key == target))
                {
                    context.Add(included);
                }
            }
        }
        return told with { Resource = content == ContentLevel.FullResource && !version!.Deleted ? version : null, Context = context };
    }

    private async ValueTask<ToldContext?> IncludeAsync(ResourceKey target, ContentLevel content, ICaller? caller, CancellationToken ct)
    {
        var reach = caller?.Reach(Use.Read, target.Type);
        if (reach is null or { IsEverything: true } && content != ContentLevel.FullResource)
        {
            return new(target, null);
        }
        var resource = await store.ReadAsync(target, ct);
        return resource is null or { Deleted: true } || reach?.Admits(resource) is false ? null : new(target, content == ContentLevel.FullResource ? resource : null);
    }
}
