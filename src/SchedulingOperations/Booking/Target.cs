using FhirCore;
using FhirStore;
using FhirStore.Access;
using SchedulingOperations.Views;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Booking;

/// <summary>The stored appointment that an operation works on: the one in its URL, or <c>appointment-reference</c>.</summary>
internal static class Target
{
    public static Outcome<ResourceKey> Read(SchedulingCall call, OperationInput input)
    {
        if (!input.Single("appointment-reference").TryGet(out var reference, out var failure) && failure is not null)
        {
            return failure;
        }
        if (call.InstanceId is { } id)
        {
            if (reference is not null)
            {
                return Refusals.Malformed("The URL names the appointment already.", reference.Value.Expression, "invalid");
            }
            return FhirIds.IsValid(id) ? new ResourceKey("Appointment", id) : Refusals.Malformed("This is no id.", null, "value");
        }
        if (reference is not { } named)
        {
            return Refusals.Malformed("Name the appointment: in the URL, or as appointment-reference.", "Parameters.parameter", "required");
        }
        return call.TryParse(named.Text, out var key) && key.Type == "Appointment"
            ? key
            : Refusals.Rule("appointment-reference names an appointment of this server.", named.Expression, "reference-not-found");
    }

    public static async ValueTask<Outcome<StoredResource>> ReadAsync(SchedulingCall call, ResourceKey key, PlanDesk desk, CancellationToken ct)
    {
        if (await call.SeenAsync(desk.Plan, key, Use.Update, ct) is { } stored)
        {
            return stored.Deleted ? FhirFailure.Of(FailureKind.Gone, $"{key} was deleted.")
                : call.IfMatch is { } wanted && stored.Version != wanted ? Refusals.Stale(wanted, stored.Version)
                : stored;
        }
        return call.InstanceId is null ? Refusals.Unknown(key.ToString(), "Parameters.parameter") : FhirFailure.Of(FailureKind.NotFound, $"{key} does not exist.");
    }
}
