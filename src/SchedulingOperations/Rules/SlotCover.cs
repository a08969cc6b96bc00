using System.Collections.Immutable;
using FhirCore;

namespace SchedulingOperations.Rules;

/// <summary>A slot as the rules see it.</summary>
/// <param name="Service">Its service types as one comparable text; empty where it names none.</param>
public readonly record struct SlotSpan(string Id, string Schedule, TimeRange Span, string Service);

/// <summary>What is left of a slot beside the part that is taken.</summary>
public readonly record struct SlotRemainders(TimeRange? Before, TimeRange Taken, TimeRange? After);

/// <summary>Which slots an appointment may stand in: those of one schedule follow one another without a gap, and each schedule covers it whole.</summary>
public static class SlotCover
{
    /// <param name="slots">The slots an appointment names, in any order. Several schedules mean several resources needed at once.</param>
    /// <param name="strict">The slots must span exactly the wanted time instead of containing it.</param>
    /// <returns>Null where the slots fit.</returns>
    public static FhirFailure? Check(ReadOnlySpan<SlotSpan> slots, TimeRange wanted, bool strict)
    {
        if (slots.Length == 1)
        {
            return Fits(slots[0].Span, wanted, strict) ? null : NotCovered(strict);
        }
        var ordered = slots.ToArray();
        Array.Sort(ordered, static (a, b) => string.CompareOrdinal(a.Schedule, b.Schedule) is var bySchedule and not 0 ? bySchedule : a.Span.Start.CompareTo(b.Span.Start));
        for (var i = 0; i < ordered.Length;)
        {
            var first = i;
            for (i++; i < ordered.Length && ordered[i].Schedule == ordered[first].Schedule; i++)
            {
                if (ordered[i].Id == ordered[i - 1].Id)
                {
                    return Refuse("A slot is named twice.");
                }
                if (ordered[i].Span.Start != ordered[i - 1].Span.End)
                {
                    return Refuse("Slots of one schedule must follow one another without a gap or an overlap.");
                }
                if (ordered[i].Service != ordered[first].Service)
                {
                    return Refuse("Slots of one schedule that are booked together must be for the same service type.");
                }
            }
            if (!Fits(new(ordered[first].Span.Start, ordered[i - 1].Span.End), wanted, strict))
            {
                return ordered.Length == i - first ? NotCovered(strict)
                    : Refuse("Slots of different schedules can be booked together only where each schedule's slots cover the whole appointment.");
            }
            if (i - first > 1 && (!ordered[first].Span.Overlaps(wanted) || !ordered[i - 1].Span.Overlaps(wanted)))
            {
                return Refuse("A slot lies wholly outside the appointment.");
            }
        }
        return null;
    }

    /// <summary>Cuts the wanted time out of a slot that overlaps it.</summary>
    /// <exception cref="ArgumentException">They do not overlap.</exception>
    public static SlotRemainders Split(TimeRange slot, TimeRange wanted)
    {
        if (!slot.Overlaps(wanted))
        {
            throw new ArgumentException("The slot and the wanted time do not overlap.", nameof(wanted));
        }
        var start = slot.Start > wanted.Start ? slot.Start : wanted.Start;
        var end = slot.End < wanted.End ? slot.End : wanted.End;
        return new(
            slot.Start < start ? new TimeRange(slot.Start, start) : null,
            new(start, end),
            end < slot.End ? new TimeRange(end, slot.End) : null);
    }

    /// <summary>The fewest slots, in order, that cover the wanted time without a gap: one that fits exactly before one that contains it before a chain.</summary>
    /// <param name="free">Free slots of one schedule, ordered by start.</param>
    /// <returns>Indexes into <paramref name="free"/>; empty where no slots cover it.</returns>
    public static ImmutableArray<int> Choose(IReadOnlyList<SlotSpan> free, TimeRange wanted)
    {
        var containing = -1;
        for (var i = 0; i < free.Count && free[i].Span.Start <= wanted.Start; i++)
        {
            if (free[i].Span == wanted)
            {
                return [i];
            }
            if (free[i].Span.Contains(wanted) && (containing < 0 || free[i].Span.Length < free[containing].Span.Length))
            {
                containing = i;
            }
        }
        if (containing >= 0)
        {
            return [containing];
        }
        return Chain(free, wanted);
    }

    /// <remarks>From the last slot to the first, each learns the fewest that lead on from it to the end: free slots may overlap, so the first that follows need not be one that arrives.</remarks>
    private static ImmutableArray<int> Chain(IReadOnlyList<SlotSpan> free, TimeRange wanted)
    {
        const int Never = int.MaxValue;
        var (steps, following) = (new int[free.Count], new int[free.Count]);
        var best = -1;
        for (var i = free.Count - 1; i >= 0; i--)
        {
            (steps[i], following[i]) = (Never, -1);
            var slot = free[i];
            if (!slot.Span.Overlaps(wanted))
            {
                continue;
            }
            if (slot.Span.End >= wanted.End)
            {
                steps[i] = 1;
            }
            for (var next = i + 1; steps[i] != 1 && next < free.Count && free[next].Span.Start <= slot.Span.End; next++)
            {
                if (free[next].Span.Start == slot.Span.End && free[next].Service == slot.Service && steps[next] != Never && steps[next] + 1 < steps[i])
                {
                    (steps[i], following[i]) = (steps[next] + 1, next);
                }
            }
            if (slot.Span.Contains(wanted.Start) && steps[i] != Never && (best < 0 || steps[i] <= steps[best]))
            {
                best = i;
            }
        }
        var chain = ImmutableArray.CreateBuilder<int>();
        for (; best >= 0; best = following[best])
        {
            chain.Add(best);
        }
        return chain.ToImmutable();
    }

    private static bool Fits(TimeRange slots, TimeRange wanted, bool strict) => strict ? slots == wanted : slots.Contains(wanted);

    private static FhirFailure NotCovered(bool strict) => Refuse(strict
        ? "The appointment's start and end must be those of its slots."
        : "The appointment does not lie within its slots.");

    private static FhirFailure Refuse(string diagnostics) => FhirFailure.Of(FailureKind.Unprocessable, diagnostics, "Appointment.slot", detail: "slot-mismatch");
}
