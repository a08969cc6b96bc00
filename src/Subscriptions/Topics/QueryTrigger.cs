using FhirCore;
using System.Text.Json;
using FhirStore.Search;

namespace Subscriptions.Topics;

/// <summary>Search criteria on the state before and after, https://hl7.org/fhir/R5/subscriptiontopic-definitions.html#SubscriptionTopic.resourceTrigger.queryCriteria.</summary>
/// <param name="Previous">Null where it does not matter.</param>
/// <param name="PassesOnCreate">What <paramref name="Previous"/> says of a resource that was not there.</param>
/// <param name="Current">Null where it does not matter.</param>
/// <param name="PassesOnDelete">What <paramref name="Current"/> says of a resource that is gone.</param>
/// <param name="RequireBoth">Both must hold; otherwise one is enough.</param>
public sealed record QueryTrigger(ResourceFilter? Previous, bool PassesOnCreate, ResourceFilter? Current, bool PassesOnDelete, bool RequireBoth)
{
    public bool Holds(ResourceChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var before = Previous is null ? (bool?)null : change.Interaction == ResourceInteraction.Create ? PassesOnCreate : Matches(Previous, change.Key, change.Previous);
        var after = Current is null ? (bool?)null : change.Interaction == ResourceInteraction.Delete ? PassesOnDelete : Matches(Current, change.Key, change.Current);
        return (before, after) switch
        {
            ({ } a, { } b) => RequireBoth ? a && b : a || b,
            _ => before ?? after ?? true,
        };
    }

    private static bool Matches(ResourceFilter filter, ResourceKey key, JsonElement? resource) => resource is { } there && filter.Matches(key, there);
}
