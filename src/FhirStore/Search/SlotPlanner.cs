using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Indexing;
using FhirStore.Search.Values;
using FhirStore.Slots;

namespace FhirStore.Search;

/// <summary>
/// The search for slots of a schedule in a span of time, with or without a status: one range of the entries that scheduling
/// keeps, already in order of start.
/// </summary>
internal sealed class SlotPlanner(OperationalFields operational)
{
    private const int TokenLength = 16;
    private static readonly byte Free = OperationalFields.SlotStatusByte("free");

    /// <param name="StartOrder">The field that orders by start; null where there are several ranges.</param>
    /// <param name="Free">The same slots as a range of one schedule's free ones; null where they are something else.</param>
    public readonly record struct Ranges(Predicate Where, IndexField? StartOrder, FreeSlotRange? Free = null);

    /// <param name="others">The clauses that the ranges do not answer.</param>
    public bool TryPlan(IReadOnlyList<SearchClause> clauses, out Ranges ranges, out List<SearchClause> others)
    {
        ranges = default;
        others = [];
        ImmutableArray<string> schedules = default;
        byte status = 0;
        var (from, to) = (DateInterval.Earliest, long.MaxValue);
        var timed = false;
        foreach (var clause in clauses)
        {
            if (clause is ValueClause { IsNegated: false } values)
            {
                if (schedules.IsDefault && values.Parameter.Name == "schedule" && SchedulesOf(values) is { IsDefault: false } named)
                {
                    schedules = named;
                    continue;
                }
                if (status == 0 && values.Parameter.Name == "status" && values.Values is [TokenValue { System: null or "", Code: { } code }] && OperationalFields.SlotStatusByte(code) is > 0 and var number)
                {
                    status = number;
                    continue;
                }
                if (values.Parameter.Name == "start" && values.Values is [DateValue date] && Span(date) is { } span)
                {
                    (from, to) = (Math.Max(from, span.From), Math.Min(to, span.To));
                    timed = true;
                    continue;
                }
            }
            others.Add(clause);
        }
        if (schedules.IsDefault || !(timed || status != 0))
        {
            return false;
        }
        if (timed)
        {
            from = Math.Max(from, 1); // 0 stands for a slot without a start
        }
        if (from >= to)
        {
            ranges = new(Predicate.Nothing, null);
            return true;
        }
        var field = status == 0 ? OperationalFields.SlotScheduleStart : OperationalFields.SlotScheduleStatusStart;
        var parts = ImmutableArray.CreateBuilder<Predicate>(schedules.Length);
        foreach (var schedule in schedules)
        {
            parts.Add(new Predicate.Between(field, Bound(schedule, status, from), Bound(schedule, status, to)));
        }
        ranges = parts.Count == 1 ? new(parts[0], field, status == Free ? new FreeSlotRange(operational.ReferenceToken(schedules[0]), from, to) : null) : new(new Predicate.AnyOf(parts.DrainToImmutable()), null);
        return true;
    }

    private static ImmutableArray<string> SchedulesOf(ValueClause clause)
    {
        var schedules = ImmutableArray.CreateBuilder<string>(clause.Values.Length);
        foreach (var value in clause.Values)
        {
            switch (value)
            {
                case ReferenceValue reference:
                    schedules.Add(reference.Wanted);
                    break;
                case ReferenceIdValue id:
                    schedules.Add($"Schedule/{id.Id}");
                    break;
                default:
                    return default;
            }
        }
        return schedules.Distinct().ToImmutableArray();
    }

    /// <summary>Starts that the value takes, where they are one span and its ends lie on whole seconds (see <see cref="ClearInstantIndex"/>).</summary>
    private static (long From, long To)? Span(DateValue date) => !ClearInstantIndex.IsWhole(date.Value) ? null : date.Comparison switch
    {
        Comparison.Eq => (date.Value.Start, date.Value.End),
        Comparison.Gt or Comparison.Sa => (date.Value.End, long.MaxValue),
        Comparison.Ge => (date.Value.Start, long.MaxValue),
        Comparison.Lt or Comparison.Eb => (0, date.Value.Start),
        Comparison.Le => (0, date.Value.End),
        _ => null,
    };

    private byte[] Bound(string schedule, byte status, long start)
    {
        var bound = new byte[TokenLength + (status == 0 ? 0 : 1) + SortableTime.Length];
        operational.WriteReferenceToken(schedule, bound);
        if (status != 0)
        {
            bound[TokenLength] = status;
        }
        ClearInstantIndex.Bytes(start).CopyTo(bound, bound.Length - SortableTime.Length);
        return bound;
    }
}
