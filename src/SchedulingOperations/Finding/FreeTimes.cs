using FhirCore;
using FhirStore;
using SchedulingOperations.Booking;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Finding;

/// <summary>What is free in a schedule: its free slots, those under expired holds, less what its people do elsewhere.</summary>
internal sealed class FreeTimes(ResourceStore store, SlotQueries queries, SchedulingOptions options, TimeProvider clock)
{
    private readonly IReadOnlySet<string> _exclusive = options.ExclusiveActorTypes();

    /// <summary>Slots of the schedule that are free and touch the window, by start; the past left out.</summary>
    public async ValueTask<List<FreeTime>> SlotsAsync(Candidate candidate, TimeRange window, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var from = window.Start - options.MaxAppointmentLength;
        var free = new List<FreeTime>();
        foreach (var slot in await queries.FreeSlotsAsync(candidate.Token, from, window.End, ct))
        {
            Add(slot);
        }
        foreach (var slot in await queries.SlotsAsync(candidate.Token, SlotStatus.BusyTentative, from, window.End, ct))
        {
            var holders = await queries.HoldersOfAsync(slot.Key, ct);
            if (holders.Count > 0 && holders.All(holder => holder.Appointment() is { Status: AppointmentStatus.Pending } hold && hold.HoldUntil <= now))
            {
                Add(slot);
            }
        }
        free.Sort((a, b) => a.Span.Start.CompareTo(b.Span.Start));
        return free;

        void Add(StoredResource slot)
        {
            var view = new SlotView(slot.Root());
            if (view.TryGetSpan(out var span) && span.Overlaps(window) && span.End > now)
            {
                free.Add(new(span, slot.Key.Id, view.Root, IsWhole: true));
            }
        }
    }

    /// <summary>When somebody who is needed has an appointment.</summary>
    public async ValueTask<List<TimeRange>> BusyAsync(IEnumerable<string> actors, TimeRange window, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var busy = new List<TimeRange>();
        foreach (var actor in actors)
        {
            if (!await IsExclusiveAsync(actor, ct))
            {
                continue;
            }
            foreach (var found in await queries.AppointmentsOfAsync(actor, window, ct))
            {
                var view = found.Appointment();
                if (view.TryGetSpan(out var span) && !(view.Status == AppointmentStatus.Pending && view.HoldUntil <= now))
                {
                    busy.Add(span);
                }
            }
        }
        return busy;
    }

    /// <summary>Cuts free slots to proposals: whole slots inside the window, or pieces of a length from each slot's start on.</summary>
    public static IEnumerable<FreeTime> Cut(List<FreeTime> slots, TimeRange window, TimeSpan? length, DateTimeOffset now, List<TimeRange> busy)
    {
        foreach (var slot in slots)
        {
            if (length is not { } step)
            {
                if (IsOffered(slot.Span))
                {
                    yield return slot;
                }
                continue;
            }
            for (var at = slot.Span.Start; at + step <= slot.Span.End; at += step)
            {
                var piece = new TimeRange(at, at + step);
                if (IsOffered(piece))
                {
                    yield return slot with { Span = piece, IsWhole = piece == slot.Span };
                }
            }
        }

        bool IsOffered(TimeRange span)
        {
            if (span.Start <= now || !window.Contains(span) || !Proposals.CanCarry(span))
            {
                return false;
            }
            foreach (var other in busy)
            {
                if (other.Overlaps(span))
                {
                    return false;
                }
            }
            return true;
        }
    }

    private async ValueTask<bool> IsExclusiveAsync(string actor, CancellationToken ct) =>
        ResourceKey.TryParse(actor, out var key) && _exclusive.Contains(key.Type)
        && (key.Type != "Location" || await store.ReadAsync(key, ct) is not { Deleted: false } location || !LocationSize.IsBiggerThanRoom(location.Root()));
}
