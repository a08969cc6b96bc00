using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore.Writing;
using SchedulingOperations.Booking;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.PlainWrites;

/// <summary>One plain write of an Appointment: create, update, patch or delete.</summary>
internal sealed class AppointmentWrite
{
    private readonly AppointmentView? _before;
    private readonly AppointmentView? _after;
    private readonly AppointmentStatus _from;
    private readonly AppointmentStatus _to;

    public AppointmentWrite(PlannedWrite write)
    {
        Write = write;
        _before = write.Previous is { Deleted: false } previous ? previous.Appointment() : null;
        _after = write.Resource is { } resource ? new(resource) : null;
        _from = _before?.Status ?? AppointmentStatus.Unknown;
        _to = _after?.Status ?? AppointmentStatus.Unknown;
    }

    public PlannedWrite Write { get; }

    /// <summary>What can be said without looking at anything else: that time runs forward, transitions, and what a plain write must not change.</summary>
    public FhirFailure? Check()
    {
        if (_after is not { } after)
        {
            return null;
        }
        if (after.HasStart && after.HasEnd && !after.TryGetSpan(out _))
        {
            return Refusals.Rule("The end must be after the start.", "Appointment.end", "end-not-after-start");
        }
        if (_before is not { } before)
        {
            return after.HoldUntil is not null && _to == AppointmentStatus.Pending ? HoldIsNotYours() : null;
        }
        if (!_from.MayBecome(_to))
        {
            return Refusals.Transition(_from, _to);
        }
        if (_to == AppointmentStatus.Pending && before.HoldUntil != after.HoldUntil)
        {
            return HoldIsNotYours();
        }
        return null;
    }

    /// <summary>Gives back what it held and holds no longer.</summary>
    public async ValueTask GiveBackAsync(PlanDesk desk, CancellationToken ct)
    {
        if (_before is { } before && _from.HoldsTime() && (_after is null || _to is AppointmentStatus.Cancelled or AppointmentStatus.EnteredInError))
        {
            await desk.Slots.GiveBackAsync(Write.Key, desk.SlotKeys(before), null, ct);
        }
    }

    /// <summary>Takes what it holds from now on.</summary>
    public async ValueTask<FhirFailure?> TakeAsync(PlanDesk desk, CancellationToken ct)
    {
        if (_after is not { } after || !_to.HoldsTime() || !after.TryGetSpan(out var span))
        {
            return null;
        }
        var isNew = !_from.HoldsTime();
        if (!isNew && await KeepsItsSlotsAsync(desk, span, ct) is { } kept)
        {
            return kept.Failure;
        }
        if (span.End <= desk.Now)
        {
            return await CheckPastAsync(after, desk, ct);
        }
        var claim = new TimeClaim(Write.Key, span, after.StartText!, after.EndText!, SlotStates.TakenBy(_to));
        claim.Actors.AddRange(BusyActors(after));
        if (after.SlotCount > 0 && await AddSlotsAsync(claim, after, desk, ct) is { } refused)
        {
            return refused;
        }
        return await desk.TakeAsync(claim, lookFirst: true, ct);
    }

    /// <returns>Null where it has to take time anew; else the refusal, if any.</returns>
    private async ValueTask<Kept?> KeepsItsSlotsAsync(PlanDesk desk, TimeRange span, CancellationToken ct)
    {
        var (before, after) = (_before!.Value, _after!.Value);
        var isSameTime = before.TryGetSpan(out var old) && old == span;
        if (before.SlotCount == 0)
        {
            return isSameTime && after.SlotCount == 0 && SameActors(before, after) ? new Kept(null) : null;
        }
        var keys = desk.SlotKeys(before);
        var isSameSlots = keys.ToHashSet().SetEquals(desk.SlotKeys(after));
        if (!isSameTime || !isSameSlots || !before.Actors("Patient").ToHashSet().SetEquals(after.Actors("Patient")))
        {
            return old.End <= desk.Now && span.End <= desk.Now ? new Kept(null) : new Kept(Refusals.Rule(
                "Slot, start, end and patient of an appointment that holds time are not changed by a plain write; use $reschedule, or $book with the appointment's id.",
                !isSameTime ? "Appointment.start" : !isSameSlots ? "Appointment.slot" : "Appointment.participant", "appointment-fixed"));
        }
        if (SlotStates.TakenBy(_from) != SlotStates.TakenBy(_to))
        {
            foreach (var key in keys)
            {
                if (await desk.Slots.FindAsync(key, ct) is { } slot && slot.Status.IsGivenBack())
                {
                    slot.Status = SlotStates.TakenBy(_to);
                }
            }
        }
        if (SameActors(before, after) || span.End <= desk.Now)
        {
            return new Kept(null);
        }
        var claim = new TimeClaim(Write.Key, span, after.StartText!, after.EndText!, SlotStates.TakenBy(_to));
        claim.Actors.AddRange(BusyActors(after));
        return new Kept(await desk.TakeAsync(claim, lookFirst: true, ct));
    }

    /// <summary>What is over is history and is stored as it is, unless it would book a slot that is still free.</summary>
    private async ValueTask<FhirFailure?> CheckPastAsync(AppointmentView after, PlanDesk desk, CancellationToken ct)
    {
        if (_to is not (AppointmentStatus.Booked or AppointmentStatus.Pending))
        {
            return null;
        }
        foreach (var key in desk.SlotKeys(after))
        {
            if (desk.Plan.Find(key) is null && await desk.Slots.FindAsync(key, ct) is { Status: SlotStatus.Free })
            {
                return InThePast();
            }
        }
        return null;
    }

    private async ValueTask<FhirFailure?> AddSlotsAsync(TimeClaim claim, AppointmentView after, PlanDesk desk, CancellationToken ct)
    {
        if (claim.Span.Start <= desk.Now && _to is AppointmentStatus.Booked or AppointmentStatus.Pending && claim.Span.Start <= desk.Now)
        {
            return InThePast();
        }
        JsonObject? edited = null;
        foreach (var reference in after.Slots)
        {
            if (!desk.TryParse(reference, out var key) || key.Type != "Slot")
            {
                return Refusals.Rule("Appointment.slot must name slots of this server.", "Appointment.slot", "reference-not-found");
            }
            if (!(await desk.FreeSlotAsync(key, ct)).TryGet(out var slot, out var refusal))
            {
                return refusal;
            }
            claim.Slots.Add(slot);
            foreach (var actor in await desk.ActorsOfAsync(slot.Schedule, ct))
            {
                // The schedule's people take part, also where the client named the patient alone: else two schedules of one
                // practitioner could be booked at one time.
                if (References.Text(actor) is { } name && !claim.Actors.Contains(name) && !after.Actors().Contains(name))
                {
                    edited ??= JsonObject.Create(after.Root)!;
                    AppointmentEdits.AddParticipant(edited, JsonNode.Parse(actor.GetRawText())!, _to == AppointmentStatus.Pending ? "tentative" : "accepted");
                    claim.Actors.Add(name);
                }
            }
        }
        if (edited is not null)
        {
            Write.Replace(edited);
        }
        return null;
    }

    private static IEnumerable<string> BusyActors(AppointmentView appointment)
    {
        foreach (var participant in appointment.Participants)
        {
            if (participant.TryGetProperty("actor"u8, out var actor) && References.Text(actor) is { } reference
                && !(participant.TryGetProperty("status"u8, out var status) && status.ValueEquals("declined"u8)))
            {
                yield return reference;
            }
        }
    }

    private static bool SameActors(AppointmentView before, AppointmentView after) => BusyActors(before).ToHashSet().IsSupersetOf(BusyActors(after));

    private static FhirFailure InThePast() => Refusals.Rule("The appointment would begin in the past.", "Appointment.start", "in-the-past");

    private static FhirFailure HoldIsNotYours() => Refusals.Rule("Only $hold sets when a hold ends, and only booking or cancelling ends it.", "Appointment.extension", "hold-fixed");

    private sealed record Kept(FhirFailure? Failure);
}
