using FhirCore;
using FhirStore;
using Subscriptions.Feeds;

namespace Subscriptions.Delivery;

/// <summary>One event as somebody is told of it.</summary>
public sealed record ToldEvent(long Number, FeedEvent Event)
{
    /// <summary>They could see it when it was numbered and may not see it any more, or nothing is left of it: they are told that, and nothing else.</summary>
    public bool IsWithheld { get; init; }

    /// <summary>The version that the event made. Null where it was not asked for, for deletions, and where it is withheld.</summary>
    public StoredResource? Resource { get; init; }

    /// <summary>What the topic includes beside it.</summary>
    public IReadOnlyList<ToldContext> Context { get; init; } = [];
}

/// <param name="Resource">As it stands now; null where only its identity is told.</param>
public sealed record ToldContext(ResourceKey Key, StoredResource? Resource);
