using System.Text.Json.Nodes;
using FhirCore;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Booking;

/// <summary><c>$confirm</c>: what is held or waits for approval is booked, under its id and at its time.</summary>
internal sealed class ConfirmAppointment(OperationRunner runner, Moves moves)
{
    public async Task<Outcome<SchedulingReply>> RunAsync(SchedulingCall call, CancellationToken ct)
    {
        if (!OperationInput.Read(call).TryGet(out var input, out var failure))
        {
            return failure;
        }
        if (input.RefuseOthers("$confirm", "appointment-reference") is { } unknown)
        {
            return unknown;
        }
        if (!Target.Read(call, input).TryGet(out var key, out failure))
        {
            return failure;
        }
        return await runner.RunAsync(call, call.Dialect == SchedulingDialect.Ihe, async (desk, lookFirst, token) =>
        {
            if (!(await Target.ReadAsync(call, key, desk, token)).TryGet(out var stored, out var missing))
            {
                return missing;
            }
            var view = stored.Appointment();
            if (HoldOwner.Check(view, call) is { } foreign)
            {
                return foreign;
            }
            if (view.Status is not (AppointmentStatus.Pending or AppointmentStatus.Proposed))
            {
                return FhirFailure.Of(FailureKind.Conflict, $"{key} is {view.Status.Code()}; only what is proposed or pending can be confirmed.", "Appointment.status", detail: "status-transition");
            }
            SlotWish? wish = view.Status == AppointmentStatus.Proposed && desk.SlotKeys(view) is { Count: > 0 } slots ? new SlotWish.Named(slots) : null;
            return await moves.MoveAsync(desk, stored, JsonObject.Create(view.Root)!, wish, AppointmentStatus.Booked, followsSchedule: false, lookFirst, token);
        }, ct);
    }
}
