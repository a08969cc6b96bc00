using FhirCore;
using FhirStore.Writing;
using SchedulingOperations.Booking;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.PlainWrites;

/// <summary>One plain write of a Slot: it must not take the ground from under an appointment.</summary>
internal static class SlotWrite
{
    public static async ValueTask<FhirFailure?> CheckAsync(PlannedWrite write, PlanDesk desk, CancellationToken ct)
    {
        SlotView? after = write.Resource is { } resource ? new(resource) : null;
        if (after is { } written && !written.TryGetSpan(out _))
        {
            return Refusals.Rule("The end must be after the start.", "Slot.end", "end-not-after-start");
        }
        if (write.Previous is not { Deleted: false } previous)
        {
            return null;
        }
        var before = new SlotView(previous.Root());
        var to = after?.Status ?? SlotStatus.EnteredInError;
        if (after is not null && !before.Status.MayBecome(to))
        {
            return Refusals.Rule($"A slot that is {before.Status.Code()} cannot become {to.Code()}.", "Slot.status", "status-transition");
        }
        if (before.Status == SlotStatus.Free || after is { } kept && to.MayStandWhileHeld() && IsSamePlace(before, kept))
        {
            return null; // nothing holds a free slot
        }
        var holds = new List<FhirStore.StoredResource>();
        foreach (var holder in await desk.HoldersOfAsync(write.Key, ct))
        {
            var appointment = holder.Appointment();
            if (appointment.HoldUntil is null || appointment.Status != AppointmentStatus.Pending)
            {
                return FhirFailure.Of(FailureKind.Conflict, after is null
                    ? $"{write.Key} is in use: an appointment stands in it. Cancel or move the appointment first."
                    : $"{write.Key} is held by an appointment: it cannot be set free, moved or withdrawn. Cancel or move the appointment first.",
                    after is null ? null : "Slot.status", detail: "slot-in-use");
            }
            holds.Add(holder);
        }
        foreach (var hold in holds)
        {
            // Setting a held slot free is how some clients give up a hold.
            await desk.CancelHoldAsync(hold, HoldCauses.Released, null, ct);
        }
        return null;
    }

    private static bool IsSamePlace(SlotView before, SlotView after) =>
        before.Schedule == after.Schedule && before.TryGetSpan(out var old) && after.TryGetSpan(out var now) && old == now;
}
