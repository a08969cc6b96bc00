using System.Text.Json.Nodes;
using FhirCore;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Booking;

/// <summary><c>$reschedule</c>: another time, another place, the same appointment. What is pending stays pending, and a hold ends when it would have.</summary>
internal sealed class RescheduleAppointment(OperationRunner runner, Moves moves, SlotQueries queries)
{
    public async Task<Outcome<SchedulingReply>> RunAsync(SchedulingCall call, CancellationToken ct)
    {
        if (!OperationInput.Read(call).TryGet(out var input, out var failure)
            || !input.Single("start").TryGet(out var start, out failure) && failure is not null
            || !input.Single("end").TryGet(out var end, out failure) && failure is not null)
        {
            return failure;
        }
        if (input.RefuseOthers("$reschedule", "appointment-reference", "start", "end", "schedule", "slot", "comment") is { } unknown)
        {
            return unknown;
        }
        if (!Target.Read(call, input).TryGet(out var key, out failure))
        {
            return failure;
        }
        if (start?.Text is not { } startText || !InstantText.TryParse(startText, out var from))
        {
            return Refusals.Malformed("start is required: date, time and offset.", start?.Expression ?? "Parameters.parameter", start is null ? "required" : "value");
        }
        DateTimeOffset? to = null;
        if (end?.Text is { } endText)
        {
            if (!InstantText.TryParse(endText, out var parsed))
            {
                return Refusals.Malformed("end is date, time and offset.", end.Value.Expression, "value");
            }
            to = parsed;
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
            if (view.Status is not (AppointmentStatus.Booked or AppointmentStatus.Pending or AppointmentStatus.Proposed))
            {
                return Refusals.Rule($"An appointment that is {view.Status.Code()} is not moved.", "Appointment.status", "status-transition");
            }
            if (desk.IsExpired(view))
            {
                return FhirFailure.Of(FailureKind.Conflict, "The hold has expired.", "Appointment.status", detail: HoldCauses.Expired);
            }
            var json = JsonObject.Create(view.Root)!;
            json["start"] = startText;
            if (to is null && !view.TryGetSpan(out _))
            {
                return Refusals.Malformed("end is required: the appointment has no length yet.", "Parameters.parameter", "required");
            }
            json["end"] = end?.Text ?? SameOffset(from + (view.TryGetSpan(out var old) ? old.Length : default));
            if (input.Parts.FirstOrDefault(part => part.Name == "comment").Text is { } comment)
            {
                json["comment"] = comment;
            }
            if (!(await WishAsync(call, input, desk, token)).TryGet(out var wished, out var refused))
            {
                return refused;
            }
            var status = view.Status == AppointmentStatus.Proposed ? AppointmentStatus.Booked : view.Status;
            return await moves.MoveAsync(desk, stored, json, wished.Wish, status, followsSchedule: true, lookFirst, token);
        }, ct);
    }

    private readonly record struct Wished(SlotWish? Wish);

    private async ValueTask<Outcome<Wished>> WishAsync(SchedulingCall call, OperationInput input, PlanDesk desk, CancellationToken ct)
    {
        var (slots, tokens) = (new List<ResourceKey>(), new List<byte[]>());
        foreach (var part in input.All("slot"))
        {
            if (!call.TryParse(part.Text, out var slot) || slot.Type != "Slot")
            {
                return Refusals.Rule("slot names a slot of this server.", part.Expression, "reference-not-found");
            }
            slots.Add(slot);
        }
        foreach (var part in input.All("schedule"))
        {
            if (!call.TryParse(part.Text, out var schedule) || schedule.Type != "Schedule" || await desk.ScheduleAsync(schedule.ToString(), ct) is null)
            {
                return Refusals.Unknown("The schedule", part.Expression);
            }
            tokens.Add(queries.ScheduleToken(schedule.ToString()));
        }
        if (slots.Count > 0 && tokens.Count > 0)
        {
            return Refusals.Malformed("Name slots or schedules, not both.", "Parameters.parameter", "invalid");
        }
        return new Wished(slots.Count > 0 ? new SlotWish.Named(slots) : tokens.Count > 0 ? new SlotWish.InSchedules(tokens) : null);
    }

    private static string SameOffset(DateTimeOffset instant) => instant.Offset == TimeSpan.Zero
        ? InstantText.Utc(instant)
        : instant.ToString("yyyy-MM-dd'T'HH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture);
}
