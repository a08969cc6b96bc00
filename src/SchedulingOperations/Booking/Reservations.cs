using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore;
using SchedulingOperations.Finding;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Takes the time of one appointment for an operation: chooses slots, checks what they are for, fills in who takes part.</summary>
internal sealed class Reservations(SlotQueries queries, Schedules schedules, SchedulingOptions options)
{
    private static readonly string[] LimitedTexts = ["description", "comment", "patientInstruction"];

    /// <param name="appointment">Start and end say when. Gets its slots and the schedules' actors; its status is set, too.</param>
    public async ValueTask<FhirFailure?> ReserveAsync(
        PlanDesk desk, ResourceKey key, JsonObject appointment, SlotWish wish, AppointmentStatus status, bool lookFirst, CancellationToken ct)
    {
        if (!TryReadSpan(appointment, out var span, out var malformed))
        {
            return malformed;
        }
        if (span.Start <= desk.Now)
        {
            return Refusals.Rule("The appointment would begin in the past or right now.", "Appointment.start", "in-the-past");
        }
        foreach (var text in LimitedTexts)
        {
            if (AppointmentEdits.Text(appointment, text) is { } value && value.Length > options.MaxTextLength)
            {
                return Refusals.Rule($"Appointment.{text} is longer than {options.MaxTextLength} characters.", $"Appointment.{text}", "text-too-long");
            }
        }
        var claim = new TimeClaim(
            key, span, AppointmentEdits.Text(appointment, "start")!, AppointmentEdits.Text(appointment, "end")!, SlotStates.TakenBy(status));
        if (await ChooseSlotsAsync(desk, claim, appointment, wish, ct) is { } unavailable)
        {
            return unavailable;
        }
        appointment["status"] = status.Code();
        var answer = status == AppointmentStatus.Pending ? "tentative" : "accepted";
        if (await FitToSchedulesAsync(desk, claim, appointment, answer, ct) is { } unfit)
        {
            return unfit;
        }
        AppointmentEdits.SetAnswers(appointment, answer);
        claim.Actors.AddRange(AppointmentEdits.BusyActors(appointment));
        if (await desk.TakeAsync(claim, lookFirst, ct) is { } refusal)
        {
            return refusal;
        }
        AppointmentEdits.SetSlots(appointment, claim.Slots);
        AppointmentEdits.FillRequestedPeriod(appointment);
        return null;
    }

    /// <summary>A missing start or end is a malformed request (400), one that runs backwards breaks a rule (422).</summary>
    public static bool TryReadSpan(JsonObject appointment, out TimeRange span, [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out FhirFailure? failure)
    {
        (span, failure) = (default, null);
        var (startText, endText) = (AppointmentEdits.Text(appointment, "start"), AppointmentEdits.Text(appointment, "end"));
        if (startText is null || endText is null)
        {
            failure = Refusals.Malformed("An appointment to be booked has a start and an end.", startText is null ? "Appointment.start" : "Appointment.end", "required");
        }
        else if (!InstantText.TryParse(startText, out var start) || !InstantText.TryParse(endText, out var end))
        {
            failure = Refusals.Malformed("start and end are instants: date, time and offset.", "Appointment.start", "value");
        }
        else if (end <= start)
        {
            failure = Refusals.Rule("The end must be after the start.", "Appointment.end", "end-not-after-start");
        }
        else
        {
            span = new(start, end);
        }
        return failure is null;
    }

    private async ValueTask<FhirFailure?> ChooseSlotsAsync(PlanDesk desk, TimeClaim claim, JsonObject appointment, SlotWish wish, CancellationToken ct)
    {
        switch (wish)
        {
            case SlotWish.Named named:
                foreach (var key in named.Slots)
                {
                    if (!(await desk.FreeSlotAsync(key, ct)).TryGet(out var slot, out var refusal))
                    {
                        return refusal;
                    }
                    claim.Slots.Add(slot);
                }
                return null;
            case SlotWish.InSchedules wanted:
                foreach (var token in wanted.Tokens)
                {
                    var chosen = await ChooseAsync(desk, token, claim.Span, ct);
                    if (chosen.Count == 0)
                    {
                        return Refusals.Taken("The schedule has no free slot at that time (rule: one appointment in a slot).", "Appointment.start");
                    }
                    claim.Slots.AddRange(chosen);
                }
                return null;
            default:
                return await ChooseByActorsAsync(desk, claim, appointment, ct);
        }
    }

    /// <summary>Each actor that has schedules must have free time in one of them. One schedule may serve several actors.</summary>
    private async ValueTask<FhirFailure?> ChooseByActorsAsync(PlanDesk desk, TimeClaim claim, JsonObject appointment, CancellationToken ct)
    {
        var covered = new HashSet<string>(StringComparer.Ordinal);
        var hasSchedule = false;
        foreach (var actor in AppointmentEdits.BusyActors(appointment).ToList())
        {
            if (actor.StartsWith("Patient/", StringComparison.Ordinal) || covered.Contains(actor))
            {
                continue;
            }
            if (!(await schedules.OfActorAsync(actor, ct)).TryGet(out var found, out var failure))
            {
                return failure;
            }
            var isCovered = found.IsEmpty;
            hasSchedule |= !found.IsEmpty;
            foreach (var schedule in found)
            {
                var view = new ScheduleView(schedule.Root());
                if (view.IsActive && await ChooseAsync(desk, queries.ScheduleToken(schedule.Key.ToString()), claim.Span, ct) is { Count: > 0 } chosen)
                {
                    claim.Slots.AddRange(chosen);
                    foreach (var other in view.Actors)
                    {
                        if (References.Text(other) is { } reference)
                        {
                            covered.Add(reference);
                        }
                    }
                    isCovered = true;
                    break;
                }
            }
            if (!isCovered)
            {
                return Refusals.Taken($"{actor} has no free slot at that time (rule: one appointment in a slot).", "Appointment.start");
            }
        }
        return hasSchedule ? null : Refusals.Rule("Name a slot or a schedule: none of the participants has a schedule here.", "Appointment.slot", "slot-required");
    }

    /// <summary>The fewest free slots of a schedule that cover the time; none where it is taken.</summary>
    private async ValueTask<IReadOnlyList<LedgerSlot>> ChooseAsync(PlanDesk desk, byte[] scheduleToken, TimeRange wanted, CancellationToken ct)
    {
        // Nearly always there is a slot that fits exactly, so that one is asked for alone at first.
        var exact = await queries.SlotsAsync(scheduleToken, SlotStatus.Free, wanted.Start, wanted.Start.AddMicroseconds(1), ct);
        if (await ChooseAmongAsync(desk, exact, wanted, mustBeExact: true, ct) is { Count: > 0 } fitting)
        {
            return fitting;
        }
        var from = wanted.Start - options.MaxAppointmentLength;
        var free = await queries.SlotsAsync(scheduleToken, SlotStatus.Free, from, wanted.End, ct);
        if (await ChooseAmongAsync(desk, free, wanted, mustBeExact: false, ct) is { Count: > 0 } chosen)
        {
            return chosen;
        }
        // Time that an expired hold still occupies, or that this plan has given back.
        var tentative = await queries.SlotsAsync(scheduleToken, SlotStatus.BusyTentative, from, wanted.End, ct);
        return await ChooseAmongAsync(desk, [.. free, .. tentative], wanted, mustBeExact: false, ct, desk.Slots.GivenBack(scheduleToken));
    }

    private static async ValueTask<IReadOnlyList<LedgerSlot>> ChooseAmongAsync(
        PlanDesk desk, IReadOnlyList<StoredResource> candidates, TimeRange wanted, bool mustBeExact, CancellationToken ct, IEnumerable<ResourceKey>? also = null)
    {
        var slots = new Dictionary<ResourceKey, LedgerSlot>();
        foreach (var candidate in candidates)
        {
            var view = new SlotView(candidate.Root());
            if (view.TryGetSpan(out var span) && span.Overlaps(wanted) && (!mustBeExact || span == wanted)
                && (await desk.FreeSlotAsync(candidate.Key, ct)).TryGet(out var slot, out _))
            {
                slots[slot.Key] = slot;
            }
        }
        foreach (var key in also ?? [])
        {
            if (await desk.Slots.FindAsync(key, ct) is { } slot && SlotLedger.IsFree(slot) && slot.Span.Overlaps(wanted))
            {
                slots[slot.Key] = slot;
            }
        }
        var ordered = slots.Values.OrderBy(slot => slot.Span.Start).ToList();
        var spans = ordered.ConvertAll(slot => new SlotSpan(slot.Key.Id, slot.Schedule, slot.Span, ServiceMatch.KeyOf(slot.Content)));
        return [.. SlotCover.Choose(spans, wanted).Select(i => ordered[i])];
    }

    /// <summary>The schedules must be active and offer the service; their actors take part.</summary>
    private static async ValueTask<FhirFailure?> FitToSchedulesAsync(PlanDesk desk, TimeClaim claim, JsonObject appointment, string answer, CancellationToken ct)
    {
        var wanted = appointment.ContainsKey("serviceType") ? JsonSerializer.SerializeToElement(appointment) : default;
        for (var i = 0; i < claim.Slots.Count; i++)
        {
            var slot = claim.Slots[i];
            if (i > 0 && slot.Schedule == claim.Slots[i - 1].Schedule)
            {
                continue;
            }
            if (await desk.ScheduleAsync(slot.Schedule, ct) is not { } schedule)
            {
                continue;
            }
            if (!schedule.IsActive)
            {
                return Refusals.Rule($"{slot.Schedule} is not active.", "Appointment.slot", "schedule-inactive");
            }
            if (wanted.ValueKind == JsonValueKind.Object
                && !ServiceMatch.Meets(wanted, ServiceMatch.IsCoded(slot.Content, "serviceType"u8) ? slot.Content : schedule.Root, "serviceType"u8))
            {
                return Refusals.Rule($"{slot.Schedule} does not offer this service type at that time.", "Appointment.serviceType", "service-not-offered");
            }
            foreach (var actor in schedule.Actors)
            {
                AppointmentEdits.AddParticipant(appointment, JsonNode.Parse(actor.GetRawText())!, answer);
            }
        }
        return null;
    }
}
