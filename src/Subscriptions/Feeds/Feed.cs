using System.Text.Json.Serialization;
using FhirCore;
using FhirStore.Access;
using Subscriptions.Topics;

namespace Subscriptions.Feeds;

/// <summary>
/// The events of one subscription, numbered from 1 without gaps: how far they have come. Written by whoever matches, in the commit that
/// says how far it has followed the changes; so what is matched here is what the subscription was at that point of the log.
/// </summary>
public sealed record Feed
{
    /// <summary>16 hexadecimal digits, drawn: a subscription that is deleted and made again begins anew.</summary>
    public required string Id { get; init; }

    /// <summary>Id of the Subscription.</summary>
    public required string Subscription { get; init; }

    /// <summary>The version of the Subscription that is matched.</summary>
    public required long SubscriptionVersion { get; init; }

    /// <summary>False while it is turned off.</summary>
    public required bool Counts { get; init; }

    /// <summary>Number of the last event; 0 before the first.</summary>
    public long Last { get; init; }

    /// <summary>Sequence of the change that made it count: what comes after it in the change log counts, by whichever lane and however late it is told.</summary>
    public required long After { get; init; }

    /// <summary>Why it cannot be matched, or not wholly: a code of <see cref="FeedFaults"/>; null where it can.</summary>
    public string? Fault { get; init; }

    public DateTimeOffset? FaultAt { get; init; }
}

/// <summary>What can be wrong with a feed.</summary>
public static class FeedFaults
{
    /// <summary>The topic is gone, or is not as the subscription needs it any more: nothing is matched.</summary>
    public const string Topic = "topic";

    /// <summary>What it was made with gives no access any more: nothing is matched.</summary>
    public const string Access = "access";

    /// <summary>A trigger of the topic could not be evaluated on some resource: it counts as not fulfilled.</summary>
    public const string Trigger = "trigger";
}

/// <summary>Events that were matched together; their numbers follow one another.</summary>
public sealed record FeedBlock
{
    [JsonPropertyName("f")]
    public required string Feed { get; init; }

    /// <summary>Number of the first event.</summary>
    [JsonPropertyName("n")]
    public required long First { get; init; }

    [JsonPropertyName("e")]
    public required IReadOnlyList<FeedEvent> Events { get; init; }

    [JsonIgnore]
    public long Last => First + Events.Count - 1;
}

/// <summary>One event: which version of which resource, how and when it came to be. What is in it is read when it is told.</summary>
public sealed record FeedEvent
{
    [JsonPropertyName("t")]
    public required string Type { get; init; }

    [JsonPropertyName("i")]
    public required string Id { get; init; }

    [JsonPropertyName("v")]
    public required long Version { get; init; }

    [JsonPropertyName("h")]
    public required ResourceInteraction How { get; init; }

    [JsonPropertyName("a")]
    public required DateTimeOffset At { get; init; }

    [JsonIgnore]
    public ResourceKey Key => new(Type, Id);
}

/// <summary>An event and its number in its feed.</summary>
public readonly record struct NumberedEvent(long Number, FeedEvent Event);

/// <summary>How far the events of a feed are delivered. Written by whoever delivers.</summary>
public sealed record DeliveryState
{
    /// <summary>Number of the last event that the endpoint has taken, or that was set aside.</summary>
    public long Delivered { get; init; }

    /// <summary>Since when every attempt has failed; null while it is well.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    public int Attempts { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>What the last attempt came to, without addresses: <c>http-503</c>, <c>timeout</c>.</summary>
    public string? Problem { get; init; }

    /// <summary>Since when the subscription's status is error.</summary>
    public DateTimeOffset? ErrorSince { get; init; }

    /// <summary>Attempts at the event that is next, each of which the receiver has refused for what is in it.</summary>
    public int Refusals { get; init; }

    /// <summary>Events set aside without one taken between them: that many, and it is the receiver that is broken.</summary>
    public int SetAsideInARow { get; init; }

    /// <summary>Events that were set aside, oldest first; the last few.</summary>
    public IReadOnlyList<DeadLetter> DeadLetters { get; init; } = [];
}

/// <summary>Events that an endpoint would not take. They can be fetched with <c>$events</c> and sent again with <c>$resend</c> while they are kept.</summary>
public sealed record DeadLetter(long First, long Last, string Problem, DateTimeOffset At);

/// <summary>Who is told, and the secrets their endpoint knows them by. Written in the commit that writes the Subscription.</summary>
public sealed record Subscriber
{
    /// <summary>Null where nobody known has asked: an import.</summary>
    public KeptGrant? Grant { get; init; }

    /// <summary>Of the rest-hook, <c>Name: value</c>.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    public string? SigningSecret { get; init; }
}

/// <summary>A request to send events again.</summary>
public sealed record Resend(string Subscription, string Feed, long First, long Last, DateTimeOffset Asked);

/// <summary>Whom a websocket may be bound for, and to what. Used once.</summary>
public sealed record SocketBinding(IReadOnlyList<string> Subscriptions, KeptGrant Grant, DateTimeOffset Ends);

/// <summary>A feed whose subscription was deleted: its events are yet to be removed.</summary>
public sealed record GoneFeed(DateTimeOffset At);
