using System.Text.Json.Nodes;
using FhirCore;
using FhirStore;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Brings a stored appointment to a new state, time or place, under its id. Its own time never stands in its way.</summary>
internal sealed class Moves(SlotQueries queries, Reservations reservations)
{
    /// <param name="next">The appointment as it shall be, status and slots aside.</param>
    /// <param name="wish">Null keeps to the schedules it stands in.</param>
    /// <param name="followsSchedule">The actors of a schedule that it leaves take part no longer; false where the caller has said who does.</param>
    public async ValueTask<Outcome<Settled>> MoveAsync(
        PlanDesk desk, StoredResource stored, JsonObject next, SlotWish? wish, AppointmentStatus status, bool followsSchedule, bool lookFirst, CancellationToken ct)
    {
        var before = stored.Appointment();
        if (!Reservations.TryReadSpan(next, out var span, out var malformed))
        {
            return malformed;
        }
        if (status == AppointmentStatus.Booked)
        {
            AppointmentEdits.RemoveHold(next);
        }
        var held = before.Status.HoldsTime() ? desk.SlotKeys(before) : [];
        var isSameTime = before.TryGetSpan(out var old) && old == span;
        var keepsSlots = held.Count > 0 && isSameTime && (wish is null || wish is SlotWish.Named named && named.Slots.ToHashSet().SetEquals(held));
        if (keepsSlots && AllStillTaken(await TakenAsync(desk, held, ct), held.Count))
        {
            return await SettleInPlaceAsync(desk, stored, next, held, span, status, lookFirst, ct);
        }
        // Named slots that are its own are put back first, but as they are: the request knows them by their ids.
        var ownNamed = wish is SlotWish.Named asked && asked.Slots.Any(held.Contains);
        wish ??= await SchedulesOfAsync(desk, before, ct);
        if (followsSchedule)
        {
            await RemoveOldActorsAsync(desk, before, next, wish, ct);
        }
        await desk.Slots.GiveBackAsync(stored.Key, held, ownNamed && isSameTime ? held[0] : null, ct);
        if (await reservations.ReserveAsync(desk, stored.Key, next, wish, status, lookFirst, ct) is { } refusal)
        {
            return refusal;
        }
        (await desk.Plan.AddAsync(stored.Key, next, before.Status == status ? "reschedule" : "book", ct)).Vouched = true;
        return new Settled(stored.Key, stored.Version + 1, 200);
    }

    /// <summary>The schedules whose slots the appointment names; where it names none, those of its actors.</summary>
    public async ValueTask<SlotWish> SchedulesOfAsync(PlanDesk desk, AppointmentView appointment, CancellationToken ct)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var key in desk.SlotKeys(appointment))
        {
            if (await desk.Slots.FindAsync(key, ct) is { } slot)
            {
                names.Add(slot.Schedule);
            }
        }
        return names.Count == 0 ? new SlotWish.OfActors() : new SlotWish.InSchedules([.. names.Select(queries.ScheduleToken)]);
    }

    /// <summary>Nothing moves: a hold becomes a booking, or only the content changes.</summary>
    private static async ValueTask<Outcome<Settled>> SettleInPlaceAsync(
        PlanDesk desk, StoredResource stored, JsonObject next, List<ResourceKey> held, TimeRange span, AppointmentStatus status, bool lookFirst, CancellationToken ct)
    {
        var before = stored.Appointment();
        next["status"] = status.Code();
        if (before.Status != status)
        {
            AppointmentEdits.SetAnswers(next, status == AppointmentStatus.Pending ? "tentative" : "accepted");
        }
        foreach (var key in held)
        {
            (await desk.Slots.FindAsync(key, ct))!.Status = SlotStates.TakenBy(status);
        }
        next["slot"] = JsonNode.Parse(before.Root.GetProperty("slot"u8).GetRawText());
        var known = before.Actors().ToHashSet(StringComparer.Ordinal);
        var claim = new TimeClaim(stored.Key, span, before.StartText!, before.EndText!, SlotStates.TakenBy(status));
        claim.Actors.AddRange(AppointmentEdits.BusyActors(next).Where(actor => !known.Contains(actor)));
        if (await desk.TakeAsync(claim, lookFirst, ct) is { } refusal)
        {
            return refusal;
        }
        (await desk.Plan.AddAsync(stored.Key, next, before.Status == status ? "update" : "book", ct)).Vouched = true;
        return new Settled(stored.Key, stored.Version + 1, 200);
    }

    /// <summary>Who took part only because of a schedule that the appointment leaves takes part no longer.</summary>
    private async ValueTask RemoveOldActorsAsync(PlanDesk desk, AppointmentView before, JsonObject next, SlotWish wish, CancellationToken ct)
    {
        var staying = new HashSet<string>(StringComparer.Ordinal);
        if (wish is SlotWish.Named named)
        {
            foreach (var key in named.Slots)
            {
                if (await desk.Slots.FindAsync(key, ct) is { } slot)
                {
                    staying.Add(slot.Schedule);
                }
            }
        }
        foreach (var key in desk.SlotKeys(before))
        {
            if (await desk.Slots.FindAsync(key, ct) is not { } slot || staying.Contains(slot.Schedule)
                || wish is SlotWish.OfActors
                || wish is SlotWish.InSchedules wanted && wanted.Tokens.Any(token => token.AsSpan().SequenceEqual(queries.ScheduleToken(slot.Schedule))))
            {
                continue;
            }
            var leaving = (await desk.ActorsOfAsync(slot.Schedule, ct)).Select(References.Text).OfType<string>().ToHashSet(StringComparer.Ordinal);
            foreach (var other in staying)
            {
                leaving.ExceptWith((await desk.ActorsOfAsync(other, ct)).Select(References.Text).OfType<string>());
            }
            if (next["participant"] is JsonArray participants)
            {
                for (var i = participants.Count - 1; i >= 0; i--)
                {
                    if (participants[i] is JsonObject participant && AppointmentEdits.Text(participant["actor"] as JsonObject, "reference") is { } actor && leaving.Contains(actor))
                    {
                        participants.RemoveAt(i);
                    }
                }
            }
        }
    }

    private static async ValueTask<List<LedgerSlot>> TakenAsync(PlanDesk desk, List<ResourceKey> held, CancellationToken ct)
    {
        var slots = new List<LedgerSlot>(held.Count);
        foreach (var key in held)
        {
            if (await desk.Slots.FindAsync(key, ct) is { } slot && slot.Key == key && slot.Status.IsGivenBack())
            {
                slots.Add(slot);
            }
        }
        return slots;
    }

    private static bool AllStillTaken(List<LedgerSlot> slots, int count) => slots.Count == count;
}
