using System.Text.Json.Nodes;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Access;
using FhirStore.Indexing;
using SchedulingOperations.Finding;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary><c>$hold</c>: keeps a time for a client while the form is filled in. It ends by itself.</summary>
internal sealed class HoldAppointment(
    OperationRunner runner, Reservations reservations, BookAppointment book, Proposals proposals, SlotQueries queries, IRecordStore records, ResourceStore store, SchedulingOptions options, TimeProvider clock)
{
    public async Task<Outcome<SchedulingReply>> RunAsync(SchedulingCall call, CancellationToken ct)
    {
        if (!BookingRequest.Read(call, proposals, isHold: true).TryGet(out var request, out var failure))
        {
            return failure;
        }
        if (await CheckQuotaAsync(call, ct) is { } tooMany)
        {
            return tooMany;
        }
        return await runner.RunAsync(call, asBundle: true, (desk, lookFirst, token) => BuildAsync(call, request, desk, lookFirst, token), ct);
    }

    private async ValueTask<Outcome<Settled>> BuildAsync(SchedulingCall call, BookingRequest request, PlanDesk desk, bool lookFirst, CancellationToken ct)
    {
        StoredResource? proposed = null;
        if (request.Known is { } known)
        {
            var stored = await call.SeenAsync(desk.Plan, known, Use.Create, ct);
            if (stored is { Deleted: false })
            {
                var view = stored.Appointment();
                if (view.Status == AppointmentStatus.Pending && view.HoldUntil is not null && !desk.IsExpired(view))
                {
                    return HoldOwner.Check(view, call) is { } foreign ? foreign : new Settled(stored.Key, stored.Version, 200);
                }
                if (view.Status != AppointmentStatus.Proposed)
                {
                    return Refusals.Transition(view.Status, AppointmentStatus.Pending);
                }
                proposed = stored;
            }
            else if (request.IsByReference)
            {
                return Refusals.Unknown(known.ToString(), "Parameters.parameter");
            }
        }
        if (!(await book.DraftAsync(call, request, proposed, desk, ct)).TryGet(out var draft, out var refused))
        {
            return refused;
        }
        var (json, wish) = draft;
        if (await OwnHoldAsync(call, json, wish, desk, ct) is { } own)
        {
            return new Settled(own.Key, own.Version, 200);
        }
        var key = proposed?.Key ?? new ResourceKey("Appointment", FhirIds.New(clock));
        if (await reservations.ReserveAsync(desk, key, json, wish, AppointmentStatus.Pending, lookFirst, ct) is { } refusal)
        {
            return refusal;
        }
        // Whole seconds, so that the Expires header can say exactly the same.
        var until = desk.Now + options.Hold.Lifetime;
        AppointmentEdits.SetHold(json, new(until.UtcTicks - until.UtcTicks % TimeSpan.TicksPerSecond, TimeSpan.Zero), HoldOwner.Of(call));
        (await desk.Plan.AddAsync(key, json, "hold", ct)).Vouched = true;
        return proposed is null ? new Settled(key, 1, 201) : new Settled(key, proposed.Version + 1, 200);
    }

    /// <summary>A client that holds this very time already gets its hold again, not a longer one.</summary>
    private async ValueTask<StoredResource?> OwnHoldAsync(SchedulingCall call, JsonObject json, SlotWish wish, PlanDesk desk, CancellationToken ct)
    {
        if (!Reservations.TryReadSpan(json, out var span, out _))
        {
            return null;
        }
        var owner = HoldOwner.Of(call);
        IReadOnlyList<ResourceKey> slots = wish switch
        {
            SlotWish.Named named => named.Slots,
            SlotWish.InSchedules { Tokens: [var token, ..] } =>
                [.. (await queries.SlotsAsync(token, SlotStatus.BusyTentative, span.Start - options.MaxAppointmentLength, span.End, ct)).Select(slot => slot.Key)],
            _ => [],
        };
        foreach (var slot in slots)
        {
            foreach (var holder in await queries.HoldersOfAsync(slot, ct))
            {
                var view = holder.Appointment();
                if (view.Status == AppointmentStatus.Pending && !desk.IsExpired(view) && HoldOwner.IsOf(view, owner) && view.TryGetSpan(out var held) && held == span)
                {
                    return await desk.Plan.ReadAsync(holder.Key, ct) is { Deleted: false } current && current.Version == holder.Version ? current : null;
                }
            }
        }
        return null;
    }

    /// <summary>Counted beside the commit: two holds at the same moment may both be the last one.</summary>
    private async ValueTask<FhirFailure?> CheckQuotaAsync(SchedulingCall call, CancellationToken ct)
    {
        if (options.Hold.PerClient == 0)
        {
            return null;
        }
        var running = new Predicate.Between(OperationalFields.AppointmentHoldUntil, SortableTime.Encode(clock.GetUtcNow().AddMicroseconds(1)), default);
        if (await records.CountAsync("Appointment", running, options.Hold.PerClient, ct) < options.Hold.PerClient)
        {
            return null;
        }
        var owner = HoldOwner.Of(call);
        var count = 0;
        RecordCursor? after = null;
        do
        {
            var page = await store.QueryAsync(new("Appointment", running, RecordOrder.ById, after, 1000), ct);
            count += page.Resources.Count(hold => HoldOwner.IsOf(hold.Appointment(), owner));
            after = page.Next;
        }
        while (after is not null && count < options.Hold.PerClient);
        return count < options.Hold.PerClient ? null : FhirFailure.Of(
            FailureKind.TooManyRequests, $"This client holds {count} appointments; book or cancel some first (Scheduling:Hold:PerClient).", detail: "hold-quota") with
        {
            RetryAfter = options.Hold.Lifetime,
        };
    }
}
