using System.Collections.Immutable;

namespace Subscriptions.Topics;

/// <summary>What became of the resource.</summary>
[Flags]
public enum ResourceInteraction
{
    None = 0,
    Create = 1,
    Update = 2,
    Delete = 4,
}

/// <summary>A SubscriptionTopic (https://hl7.org/fhir/R5/subscriptiontopic.html), read and compiled.</summary>
public sealed record Topic
{
    /// <summary>Canonical url, without version.</summary>
    public required string Url { get; init; }

    public string? Version { get; init; }

    /// <summary>Id of the Basic it is stored as; null for the server's own.</summary>
    public string? StoredAs { get; init; }

    public string? Title { get; init; }

    /// <summary>False for drafts and retired ones: nobody may subscribe any more, and nothing triggers.</summary>
    public required bool IsActive { get; init; }

    public required ImmutableArray<TopicTrigger> Triggers { get; init; }

    public ImmutableArray<TopicFilter> Filters { get; init; } = [];

    public ImmutableArray<TopicInclude> Includes { get; init; } = [];

    /// <summary>Types of the resources it tells of, in the order of its triggers.</summary>
    public ImmutableArray<string> Types => [.. Triggers.Select(trigger => trigger.Type).Distinct(StringComparer.Ordinal)];

    /// <summary>Whether a canonical reference means this topic: <c>url</c>, or <c>url|version</c>.</summary>
    public bool IsMeantBy(string canonical)
    {
        ArgumentNullException.ThrowIfNull(canonical);
        var bar = canonical.IndexOf('|', StringComparison.Ordinal);
        return bar < 0 ? canonical == Url : canonical.AsSpan(0, bar).SequenceEqual(Url) && canonical[(bar + 1)..] == Version;
    }

    /// <returns>The filter that a Subscription means by the name on resources of the type; null where there is none.</returns>
    public TopicFilter? FindFilter(string type, string name) => Filters.FirstOrDefault(filter => filter.Name == name && (filter.Type is null || filter.Type == type));
}

/// <summary>When the topic tells of a resource of the type. All of its conditions must hold.</summary>
public sealed record TopicTrigger
{
    public required string Type { get; init; }

    public required ResourceInteraction Interactions { get; init; }

    public QueryTrigger? Query { get; init; }

    public FhirPathTrigger? FhirPath { get; init; }

    /// <summary>Whether it must know the version before the change.</summary>
    public bool NeedsPrevious => Query is { Previous: not null } || FhirPath is { NeedsPrevious: true };

    /// <exception cref="TriggerFaultException">The expression cannot be evaluated on this resource.</exception>
    public bool Fires(ResourceChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return change.Key.Type == Type && (Interactions & change.Interaction) != 0 && Query?.Holds(change) is not false && FhirPath?.Holds(change) is not false;
    }
}

/// <summary>A parameter that Subscriptions may narrow the topic by.</summary>
/// <param name="Type">Null for each type of the topic.</param>
/// <param name="Name">As a Subscription writes it.</param>
/// <param name="Parameter">Search parameter that it stands for; null for the compartment of a Patient.</param>
/// <param name="Comparators">Prefixes that a value may have; empty for any.</param>
/// <param name="Modifiers">Modifiers that the name may have.</param>
public sealed record TopicFilter(string? Type, string Name, string? Parameter, ImmutableArray<string> Comparators, ImmutableArray<string> Modifiers);

/// <summary>Resources that are told of beside the one in focus: where a reference parameter of it leads.</summary>
/// <param name="Target">Only resources of this type; null for any.</param>
public sealed record TopicInclude(string Type, string Parameter, string? Target);
