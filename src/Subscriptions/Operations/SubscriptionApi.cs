using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Access;
using FhirStore.Search;
using FhirStore.Sealed;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Json;
using Subscriptions.Topics;

namespace Subscriptions.Operations;

/// <summary>
/// The operations on Subscription of the backport, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/artifacts.html, and <c>$resend</c> of its 1.2.
/// What a caller may not see of Subscriptions is to them as if it were not there.
/// </summary>
public sealed class SubscriptionApi(
    ResourceStore store, SearchService search, IRecordStore records, SubscriptionRecords own, TopicDirectory directory, DefinitionReader definitions, EventTeller teller,
    NotificationBundle bundles, ChannelOffer offer, SubscriptionOptions options, TimeProvider clock)
{
    private const int MostStatuses = 1_000;
    private const int MostEvents = 500;
    private const int MostResent = 10_000;
    private const int MostBindings = 100;

    /// <summary><c>$status</c> of one Subscription, or of those named, or of all that the caller may see.</summary>
    /// <param name="instance">Null for the whole type.</param>
    public async ValueTask<Outcome<byte[]>> StatusAsync(string? instance, SubscriptionInput input, string selfLink, ICaller? caller, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        IReadOnlyList<string> wanted = instance is not null ? [instance] : input.All("id");
        var found = new List<StoredResource>();
        if (wanted.Count == 0)
        {
            ImmutableArray<KeyValuePair<string, string>> all = [new("_count", MostStatuses.ToString(CultureInfo.InvariantCulture))];
            if (!(await search.SearchAsync(new("Subscription", all, Caller: caller), ct)).TryGet(out var page, out var failure))
            {
                return failure;
            }
            if (page.Next is not null)
            {
                return FhirFailure.Of(FailureKind.Invalid, $"There are more than {MostStatuses} subscriptions: name those you want with id.", code: "too-costly");
            }
            found.AddRange(page.Matches);
        }
        foreach (var id in wanted)
        {
            if ((await FindAsync(id, caller, ct)).TryGet(out var one, out var missing))
            {
                found.Add(one);
            }
            else if (instance is not null)
            {
                return missing;
            }
        }
        var statuses = new List<Notification>(found.Count);
        foreach (var subscription in found)
        {
            using var document = JsonDocument.Parse(subscription.Json, new() { MaxDepth = 1_000 });
            var status = document.RootElement.Text("status");
            if (instance is not null || input.All("status") is not { Count: > 0 } filter || filter.Contains(status))
            {
                statuses.Add(await StatusOfAsync(subscription.Key.Id, document.RootElement, ct));
            }
        }
        return bundles.WriteStatuses(statuses, selfLink);
    }

    /// <summary><c>$events</c>: what has happened, again, within the caller's reach.</summary>
    public async ValueTask<Outcome<byte[]>> EventsAsync(string instance, SubscriptionInput input, ICaller? caller, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!(await FindAsync(instance, caller, ct)).TryGet(out var subscription, out var failure)
            || !NumberOf(input, "eventsSinceNumber").TryGet(out var since, out failure) && failure is not null
            || !NumberOf(input, "eventsUntilNumber").TryGet(out var until, out failure) && failure is not null)
        {
            return failure;
        }
        using var document = JsonDocument.Parse(subscription.Json, new() { MaxDepth = 1_000 });
        var definition = await DefineAsync(subscription.Key, document.RootElement, ct);
        var content = definition?.Content ?? ContentLevel.Empty;
        switch (input.One("content"))
        {
            case null:
                break;
            case "empty":
                content = ContentLevel.Empty;
                break;
            case "id-only":
                content = ContentLevel.IdOnly;
                break;
            case "full-resource":
                content = ContentLevel.FullResource;
                break;
            default:
                return FhirFailure.Of(FailureKind.Invalid, "content is empty, id-only or full-resource.", code: "code-invalid");
        }
        var status = await StatusOfAsync(instance, document.RootElement, ct);
        var (first, last) = (Math.Max(1, since ?? 1), Math.Min(until ?? long.MaxValue, status.Total));
        var feed = await own.Feeds.FindAsync(instance, ct);
        var events = feed is null ? [] : await teller.ReadAsync(feed.Value.Id, first, last, MostEvents, ct);
        var told = await teller.TellAsync(events, content, definition?.Topic, caller, ct);
        return bundles.Write(status with
        {
            Type = NotificationType.QueryEvent,
            Content = content,
            Events = told,
            Id = string.Create(CultureInfo.InvariantCulture, $"{feed?.Value.Id ?? "none"}.query-{first}-{(events.Count == 0 ? last : events[^1].Number)}"),
        });
    }

    /// <summary><c>$resend</c>: the endpoint is sent events again, those that are still kept.</summary>
    /// <returns>How many events.</returns>
    public async ValueTask<Outcome<long>> ResendAsync(string instance, SubscriptionInput input, ICaller? caller, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!(await FindAsync(instance, caller, ct)).TryGet(out var subscription, out var failure)
            || !NumberOf(input, "eventsSinceNumber").TryGet(out var since, out failure) && failure is not null
            || !NumberOf(input, "eventsUntilNumber").TryGet(out var until, out failure) && failure is not null
            || !InstantOf(input, "eventsSinceInstant").TryGet(out var from, out failure) && failure is not null
            || !InstantOf(input, "eventsUntilInstant").TryGet(out var to, out failure) && failure is not null)
        {
            return failure;
        }
        if (since is null && until is null && from is null && to is null)
        {
            return FhirFailure.Of(FailureKind.Invalid, "Say which events: by eventsSinceNumber, eventsUntilNumber, eventsSinceInstant, eventsUntilInstant.", code: "required");
        }
        using var document = JsonDocument.Parse(subscription.Json, new() { MaxDepth = 1_000 });
        if (await DefineAsync(subscription.Key, document.RootElement, ct) is not { Status: SubscriptionStatus.Active } definition)
        {
            return FhirFailure.Of(FailureKind.Conflict, "Events are sent again for active subscriptions only; those of others are had with $events.", "Subscription.status");
        }
        if (definition.Channel == ChannelKind.WebSocket)
        {
            return FhirFailure.Of(FailureKind.Unprocessable, "A websocket has no endpoint to send to: get the events with $events.", "Subscription.channel.type", "not-supported");
        }
        if (await own.Feeds.FindAsync(instance, ct) is not { } feed
            || await teller.ReadAsync(feed.Value.Id, Math.Max(1, since ?? 1), Math.Min(until ?? long.MaxValue, feed.Value.Last), MostResent + 1, ct) is not { Count: > 0 } events
            || events.Where(one => !(one.Event.At < from) && !(one.Event.At > to)).ToArray() is not [var first, ..] wanted)
        {
            return FhirFailure.Of(FailureKind.NotFound, "There are no such events, or they are not kept any more.", code: "not-found");
        }
        if (wanted.Length > MostResent || events.Count > MostResent)
        {
            return FhirFailure.Of(FailureKind.Invalid, $"At most {MostResent} events are sent again at once: say which.", code: "too-costly");
        }
        var keyWrites = new List<RecordWrite>();
        var resend = new Resend(instance, feed.Value.Id, first.Number, wanted[^1].Number, clock.GetUtcNow());
        var write = await own.Resends.SealAsync(FhirIds.New(clock), resend, 0, keyWrites, ct);
        await records.CommitAsync(new([write, .. keyWrites], [], []) { Stamps = [Shards.Stamp(Shards.Of(instance))] }, ct);
        return wanted[^1].Number - first.Number + 1;
    }

    /// <summary><c>$get-ws-binding-token</c>: a secret that binds one websocket, once, to these subscriptions.</summary>
    /// <param name="instance">Null for the whole type.</param>
    /// <param name="grant">Who asks: what the socket is told is decided by it.</param>
    public async ValueTask<Outcome<BindingToken>> BindAsync(string? instance, SubscriptionInput input, KeptGrant grant, ICaller? caller, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(grant);
        IReadOnlyList<string> wanted = instance is not null ? [instance] : [.. input.All("id").Distinct(StringComparer.Ordinal)];
        if (wanted.Count is 0 or > MostBindings)
        {
            return FhirFailure.Of(FailureKind.Invalid, $"Name the subscriptions to bind, 1 to {MostBindings}, with id.", code: "required");
        }
        foreach (var id in wanted)
        {
            if (!(await FindAsync(id, caller, ct)).TryGet(out var subscription, out var failure))
            {
                return failure;
            }
            if (caller is not null && (await own.Subscribers.FindAsync(id, ct))?.Value.Grant?.Owner != grant.Owner)
            {
                return FhirFailure.Of(FailureKind.Forbidden, "Only whoever made a subscription is told of its events.");
            }
            using var document = JsonDocument.Parse(subscription.Json, new() { MaxDepth = 1_000 });
            if (document.RootElement.Member("channel")?.Text("type") != "websocket")
            {
                return FhirFailure.Of(FailureKind.Unprocessable, "The subscription's channel is not websocket.", "Subscription.channel.type", "value");
            }
        }
        var token = SecretId.NewSecret();
        var ends = clock.GetUtcNow() + options.BindingTokenLifetime;
        await own.Bindings.TryWriteAsync(SecretId.Of(own.BindingKey, token), new(wanted, grant, ends), 0, null, ct);
        return new BindingToken(token, ends, wanted, offer.WebSocketUrl);
    }

    private async ValueTask<Notification> StatusOfAsync(string id, JsonElement subscription, CancellationToken ct)
    {
        var feed = (await own.Feeds.FindAsync(id, ct))?.Value;
        var state = feed is null ? null : (await own.Deliveries.FindAsync(feed.Id, ct))?.Value;
        var criteria = subscription.Text("criteria");
        return new()
        {
            Type = NotificationType.QueryStatus,
            Subscription = id,
            Status = DefinitionReader.StatusOf(subscription.Text("status")),
            Topic = criteria is not null && DefinitionReader.IsCanonical(criteria) ? criteria : null,
            Content = ContentLevel.IdOnly,
            Total = feed?.Last ?? 0,
            Errors = Problems.Of(feed, state),
            Id = string.Create(CultureInfo.InvariantCulture, $"{id} {clock.GetUtcNow().UtcTicks}"),
        };
    }

    private async ValueTask<SubscriptionDefinition?> DefineAsync(ResourceKey key, JsonElement subscription, CancellationToken ct) =>
        definitions.Read(key, subscription, await directory.ReadAsync(ct)).TryGet(out var definition, out _) ? definition : null;

    private async ValueTask<Outcome<StoredResource>> FindAsync(string id, ICaller? caller, CancellationToken ct) =>
        FhirIds.IsValid(id) && await store.ReadAsync(new("Subscription", id), ct) is { Deleted: false } found && caller?.Reach(Use.Read, "Subscription").Admits(found) is not false
            ? found
            : FhirFailure.Of(FailureKind.NotFound, FhirIds.IsValid(id) ? $"Subscription/{id} does not exist." : "There is no such Subscription.");

    private static Outcome<long?> NumberOf(SubscriptionInput input, string name) => input.One(name) is not { } text ? (long?)null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : FhirFailure.Of(FailureKind.Invalid, $"{name} is the number of an event.", code: "value");

    private static Outcome<DateTimeOffset?> InstantOf(SubscriptionInput input, string name) => input.One(name) is not { } text ? (DateTimeOffset?)null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant) ? instant
        : FhirFailure.Of(FailureKind.Invalid, $"{name} is an instant, such as 2026-01-31T08:00:00Z.", code: "value");
}

/// <param name="Subscriptions">Ids of what it binds to.</param>
public sealed record BindingToken(string Token, DateTimeOffset Ends, IReadOnlyList<string> Subscriptions, string WebSocketUrl);
