using Authorization.Access;
using FhirCore;
using FhirStore.Access;
using Subscriptions;

namespace FhirServer.Subscriptions;

/// <summary>The one access decision, asked for a subscriber who is not there.</summary>
internal sealed class SubscriberAccess(KeptGrants grants, Callers callers) : ISubscriberAccess
{
    public async ValueTask<Outcome<SubscriberStanding>> StandAsync(KeptGrant grant, CancellationToken ct) =>
        (await grants.ReviveAsync(grant, ct)).TryGet(out var standing, out var failure)
            ? new SubscriberStanding(await callers.OfAsync(standing, breakGlass: false, ct))
            : failure;
}
