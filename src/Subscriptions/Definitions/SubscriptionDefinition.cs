using System.Collections.Immutable;
using FhirCore;
using FhirStore.Search;
using Subscriptions.Topics;

namespace Subscriptions.Definitions;

/// <summary>https://hl7.org/fhir/R4/valueset-subscription-status.html</summary>
public enum SubscriptionStatus
{
    Requested,
    Active,
    Error,
    Off,
}

/// <summary>How much of a resource a notification holds.</summary>
public enum ContentLevel
{
    Empty,
    IdOnly,
    FullResource,
}

public enum ChannelKind
{
    RestHook,
    WebSocket,
    Email,
    /// <summary>Records of a stream: Kafka.</summary>
    Stream,
}

public static class ChannelKinds
{
    /// <summary>As Subscriptions write it.</summary>
    public static string Code(this ChannelKind kind) => kind switch
    {
        ChannelKind.RestHook => "rest-hook",
        ChannelKind.WebSocket => "websocket",
        ChannelKind.Email => "email",
        ChannelKind.Stream => Backport.Kafka,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Say here how the new channel is written."),
    };
}

/// <summary>A Subscription, read, checked and compiled.</summary>
public sealed record SubscriptionDefinition
{
    public required ResourceKey Key { get; init; }

    public required SubscriptionStatus Status { get; init; }

    /// <summary>As the Subscription names it.</summary>
    public required string Criteria { get; init; }

    /// <summary>Null for a subscription by search criteria, as R4 itself has them.</summary>
    public Topic? Topic { get; init; }

    /// <summary>For each type of resource that it can tell of: what a resource must meet.</summary>
    public required ImmutableDictionary<string, TypeFilter> Filters { get; init; }

    public required ChannelKind Channel { get; init; }

    /// <summary>Address of the rest-hook; e-mail address. Null where the channel has none.</summary>
    public string? Endpoint { get; init; }

    /// <summary>MIME type as the Subscription says it; null for R4's notifications without payload.</summary>
    public string? Payload { get; init; }

    public ContentLevel Content { get; init; }

    /// <summary>Null: no heartbeats.</summary>
    public TimeSpan? Heartbeat { get; init; }

    public TimeSpan? Timeout { get; init; }

    public int? MaxCount { get; init; }

    public DateTimeOffset? End { get; init; }

    /// <summary>Whether events are counted: also while it cannot be delivered.</summary>
    public bool Counts => Status != SubscriptionStatus.Off;
}

/// <summary>What resources of one type must meet to be told of.</summary>
/// <param name="named">Resources (<c>Type/id</c>) one of which every match names in a reference, or is; empty where none are known.</param>
public sealed class TypeFilter(ResourceFilter? criteria, ImmutableArray<FhirStore.Access.Restriction> compartments, ImmutableArray<ResourceKey> named)
{
    public static TypeFilter Everything { get; } = new(null, [], []);

    public ImmutableArray<ResourceKey> Named => named;

    public bool Matches(ResourceKey key, System.Text.Json.JsonElement resource)
    {
        if (criteria?.Matches(key, resource) is false)
        {
            return false;
        }
        foreach (var compartment in compartments)
        {
            if (!compartment.Admits(key, resource))
            {
                return false;
            }
        }
        return true;
    }
}
