using System.Text.Json.Nodes;
using FhirCore;
using FhirStore;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Cancels one appointment as part of a plan.</summary>
internal static class Cancellation
{
    /// <param name="change">Further edits, such as a comment.</param>
    /// <returns>The version that stands after it; cancelling twice changes nothing.</returns>
    public static async ValueTask<Outcome<Settled>> CancelAsync(
        PlanDesk desk, StoredResource stored, JsonObject? reason, Action<JsonObject>? change, CancellationToken ct)
    {
        var view = stored.Appointment();
        var status = view.Status;
        if (status == AppointmentStatus.Cancelled)
        {
            return new Settled(stored.Key, stored.Version, 200);
        }
        if (!status.MayBecome(AppointmentStatus.Cancelled))
        {
            return Refusals.Transition(status, AppointmentStatus.Cancelled);
        }
        var json = JsonObject.Create(view.Root)!;
        AppointmentEdits.Cancel(json, reason);
        change?.Invoke(json);
        if (status.HoldsTime())
        {
            await desk.Slots.GiveBackAsync(stored.Key, desk.SlotKeys(view), null, ct);
        }
        var write = await desk.Plan.AddAsync(stored.Key, json, "cancel", ct);
        write.Vouched = true;
        return new Settled(stored.Key, stored.Version + 1, 200);
    }
}
