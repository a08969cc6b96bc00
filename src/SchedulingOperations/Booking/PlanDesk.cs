using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Writing;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>What an appointment asks for: a time, the slots it stands in and the actors it needs.</summary>
internal sealed record TimeClaim(ResourceKey Appointment, TimeRange Span, string StartText, string EndText, SlotStatus Becomes)
{
    public List<LedgerSlot> Slots { get; } = [];

    /// <summary>References of the actors that take part and have not declined.</summary>
    public List<string> Actors { get; } = [];
}

/// <summary>Makes the desks of plans.</summary>
/// <param name="baseUrl">References that begin with it are to resources of this server, too.</param>
internal sealed class Desks(SlotQueries queries, SchedulingOptions options, string? baseUrl, TimeProvider clock)
{
    private readonly IReadOnlySet<string> _exclusive = options.ExclusiveActorTypes();

    public PlanDesk Open(WritePlan plan) => new(plan, queries, options, _exclusive, baseUrl, clock);
}

/// <summary>The one place where a plan takes and gives back time: slots and actors, expired holds put aside on the way.</summary>
internal sealed class PlanDesk(
    WritePlan plan, SlotQueries queries, SchedulingOptions options, IReadOnlySet<string> exclusive, string? baseUrl, TimeProvider clock)
{
    private readonly List<TimeClaim> _claims = [];

    public WritePlan Plan => plan;

    public SlotLedger Slots { get; } = new(plan, queries, options, clock);

    public DateTimeOffset Now { get; } = clock.GetUtcNow();

    /// <summary>Looks the slot up and makes sure that it can be taken now; a hold that has expired is put aside.</summary>
    public async ValueTask<Outcome<LedgerSlot>> FreeSlotAsync(ResourceKey key, CancellationToken ct)
    {
        if (await Slots.FindAsync(key, ct) is not { } slot)
        {
            return Refusals.Unknown(key.ToString(), "Appointment.slot");
        }
        if (SlotLedger.IsFree(slot))
        {
            return slot;
        }
        if (slot is { Status: SlotStatus.BusyTentative, IsTaken: false } && await PutAsideExpiredAsync(key, ct))
        {
            return slot;
        }
        return Refusals.Taken($"{key} is not free (rule: one appointment in a slot).");
    }

    /// <summary>Takes the claim's slots and requires that its actors are free at the moment of the commit.</summary>
    /// <param name="lookFirst">
    /// True asks for the actors' appointments now and answers; false leaves it to the commit, which makes the plan again where
    /// somebody is busy.
    /// </param>
    public async ValueTask<FhirFailure?> TakeAsync(TimeClaim claim, bool lookFirst, CancellationToken ct)
    {
        if (claim.Span.Length > options.MaxAppointmentLength)
        {
            return Refusals.Rule("The appointment is longer than this server takes (Scheduling:MaxAppointmentLength).", "Appointment.end");
        }
        if (claim.Slots.Count > 0 && Slots.Take(claim.Slots, claim.Span, claim.StartText, claim.EndText, claim.Becomes) is { } mismatch)
        {
            return mismatch;
        }
        for (var i = 0; i < claim.Actors.Count; i++)
        {
            if (!TryParse(claim.Actors[i], out var actor))
            {
                continue;
            }
            claim.Actors[i] = actor.ToString();
            if (await IsExclusiveAsync(actor, ct) && await GuardAsync(claim, claim.Actors[i], lookFirst, ct) is { } busy)
            {
                return busy;
            }
        }
        _claims.Add(claim);
        return null;
    }

    /// <summary>Cancels a hold as part of this plan and gives its slots back.</summary>
    /// <param name="asItIs">A slot that will be taken at once.</param>
    public async ValueTask CancelHoldAsync(StoredResource hold, string cause, ResourceKey? asItIs, CancellationToken ct)
    {
        // The query that found it is no part of the commit's conditions: what counts is the version read now.
        if (plan.Find(hold.Key) is not null || await plan.ReadAsync(hold.Key, ct) is not { Deleted: false } current)
        {
            return;
        }
        var view = current.Appointment();
        if (view.Status != AppointmentStatus.Pending)
        {
            return;
        }
        var json = JsonObject.Create(view.Root)!;
        AppointmentEdits.Cancel(json, cause == HoldCauses.Expired ? HoldCauses.ExpiredReason() : null);
        (await plan.AddAsync(hold.Key, json, cause, ct)).Vouched = true;
        await Slots.GiveBackAsync(hold.Key, SlotKeys(view), asItIs, ct);
    }

    /// <summary>Appointments that hold the slot and will hold it after this plan too.</summary>
    public async ValueTask<List<StoredResource>> HoldersOfAsync(ResourceKey slot, CancellationToken ct)
    {
        var holders = new List<StoredResource>();
        foreach (var holder in await queries.HoldersOfAsync(slot, ct))
        {
            if (plan.Find(holder.Key) is not { } planned
                || planned.Resource is { } resource && new AppointmentView(resource) is var after && after.Status.HoldsTime() && SlotKeys(after).Contains(slot))
            {
                holders.Add(holder);
            }
        }
        return holders;
    }

    /// <summary>References (as JSON) of the actors of a schedule; none where it is not there.</summary>
    public async ValueTask<IReadOnlyList<JsonElement>> ActorsOfAsync(string schedule, CancellationToken ct)
    {
        if (await ScheduleAsync(schedule, ct) is not { } found)
        {
            return [];
        }
        var actors = new List<JsonElement>();
        foreach (var actor in found.Actors)
        {
            actors.Add(actor);
        }
        return actors;
    }

    /// <returns>Null where there is no such schedule.</returns>
    public async ValueTask<ScheduleView?> ScheduleAsync(string schedule, CancellationToken ct)
    {
        if (!TryParse(schedule, out var key) || key.Type != "Schedule")
        {
            return null;
        }
        if (plan.Find(key) is { } planned)
        {
            return planned.Resource is { } resource ? new(resource) : null;
        }
        return await plan.ReadAsync(key, ct) is { Deleted: false } stored ? new(stored.Root()) : null;
    }

    /// <summary>Reads a reference to a resource of this server.</summary>
    public bool TryParse(string? reference, out ResourceKey key) => References.TryParse(reference, baseUrl, out key);

    public bool IsExpired(in AppointmentView appointment) =>
        appointment.Status == AppointmentStatus.Pending && appointment.HoldUntil is { } until && until <= Now;

    /// <summary>The slots of this server that the appointment names.</summary>
    public List<ResourceKey> SlotKeys(in AppointmentView appointment)
    {
        var keys = new List<ResourceKey>(1);
        foreach (var reference in appointment.Slots)
        {
            if (TryParse(reference, out var key) && key.Type == "Slot")
            {
                keys.Add(key);
            }
        }
        return keys;
    }

    private async ValueTask<FhirFailure?> GuardAsync(TimeClaim claim, string actor, bool lookFirst, CancellationToken ct)
    {
        foreach (var other in _claims)
        {
            if (other.Span.Overlaps(claim.Span) && other.Actors.Contains(actor))
            {
                return Busy(actor);
            }
        }
        var except = ImmutableSortedSet.Create(StringComparer.Ordinal, claim.Appointment.Id);
        if (lookFirst)
        {
            foreach (var found in await queries.AppointmentsOfAsync(actor, claim.Span, ct))
            {
                if (found.Key == claim.Appointment || plan.Find(found.Key) is not null)
                {
                    continue;
                }
                var other = found.Appointment();
                if (!IsExpired(other))
                {
                    if (!other.HasDeclined(actor))
                    {
                        return Busy(actor);
                    }
                    // The index does not know who has declined; that version was looked at and is a condition now.
                    await plan.ReadAsync(found.Key, ct);
                    except = except.Add(found.Key.Id);
                    continue;
                }
                await CancelHoldAsync(found, HoldCauses.Expired, null, ct);
            }
        }
        plan.Require(
            new RecordCondition.NoneMatch("Appointment", queries.TakesTimeOf(actor, claim.Span), except),
            lookFirst ? _ => Busy(actor) : null);
        return null;
    }

    private async ValueTask<bool> IsExclusiveAsync(ResourceKey key, CancellationToken ct)
    {
        if (!exclusive.Contains(key.Type))
        {
            return false;
        }
        if (key.Type != "Location")
        {
            return true;
        }
        var location = plan.Find(key)?.Resource ?? (await plan.ReadAsync(key, ct) is { Deleted: false } stored ? stored.Root() : null);
        return location is not { } root || !LocationSize.IsBiggerThanRoom(root);
    }

    private async ValueTask<bool> PutAsideExpiredAsync(ResourceKey slot, CancellationToken ct)
    {
        var holders = await queries.HoldersOfAsync(slot, ct);
        foreach (var holder in holders)
        {
            if (!IsExpired(holder.Appointment()))
            {
                return false;
            }
        }
        foreach (var holder in holders)
        {
            await CancelHoldAsync(holder, HoldCauses.Expired, slot, ct);
        }
        return holders.Count > 0;
    }

    private static FhirFailure Busy(string actor) => Refusals.Taken(
        actor.StartsWith("Patient/", StringComparison.Ordinal)
            ? "The patient has another appointment at that time (rule: one appointment of an actor at a time)."
            : $"{actor} has another appointment at that time (rule: one appointment of an actor at a time).",
        "Appointment.participant");
}
