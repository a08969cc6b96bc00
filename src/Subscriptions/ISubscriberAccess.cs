using FhirCore;
using FhirStore.Access;

namespace Subscriptions;

/// <summary>
/// What a subscriber may see now: asked again and again for as long as a subscription lives, because clients are removed, accounts closed,
/// consents taken back and roles changed while nobody calls. Implemented over the rooms that know of such things.
/// </summary>
public interface ISubscriberAccess
{
    /// <returns>Who asks, as everywhere else in the store (null within: not limited); or why nothing may be told them any more.</returns>
    ValueTask<Outcome<SubscriberStanding>> StandAsync(KeptGrant grant, CancellationToken ct);
}

/// <param name="Caller">Null is not limited.</param>
public sealed record SubscriberStanding(ICaller? Caller);
