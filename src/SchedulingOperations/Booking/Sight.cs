using FhirCore;
using FhirStore;
using FhirStore.Access;
using FhirStore.Writing;

namespace SchedulingOperations.Booking;

/// <summary>What the caller of an operation sees of the store: what is out of reach is not there.</summary>
internal static class Sight
{
    extension(SchedulingCall call)
    {
        /// <returns>Null where there never was one, or none that the caller reaches; a deletion to who is not limited only.</returns>
        public async ValueTask<StoredResource?> SeenAsync(WritePlan plan, ResourceKey key, Use use, CancellationToken ct) =>
            await plan.ReadAsync(key, ct) is { } stored && call.Sees(stored, use) ? stored : null;

        public bool Sees(StoredResource stored, Use use) =>
            call.Caller?.Reach(use, stored.Key.Type) is not { IsEverything: false } reach || (!stored.Deleted && reach.Admits(stored));

        /// <summary>The permission that the appointment an operation makes or changes is checked against, as it stood and as it becomes.</summary>
        public Use UseOf(Settled settled) => call.Operation == SchedulingOperation.Hold || settled.Status == 201 ? Use.Create : Use.Update;
    }
}
