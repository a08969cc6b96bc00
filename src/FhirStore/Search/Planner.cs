using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Indexing;
using FhirStore.Slots;

namespace FhirStore.Search;

/// <summary>Makes the plan of a search out of its clauses.</summary>
internal sealed class Planner(ResourceIndexer indexer, SlotPlanner slots)
{
    /// <param name="caller">Only what they may find is a match; null finds everything.</param>
    public SearchPlan Plan(string type, IReadOnlyList<SearchClause> clauses, ImmutableArray<SortKey> sort, ICaller? caller)
    {
        if (caller?.Reach(Use.Search, type).Clause is { } reach)
        {
            clauses = [.. clauses, reach];
        }
        var index = indexer.For(type);
        var parts = ImmutableArray.CreateBuilder<Predicate>();
        var residual = ImmutableArray.CreateBuilder<SearchClause>();
        var rest = clauses;
        IndexField? startOrder = null;
        FreeSlotRange? free = null;
        if (type == "Slot" && slots.TryPlan(clauses, out var ranges, out var others))
        {
            parts.Add(ranges.Where);
            startOrder = ranges.StartOrder;
            free = ranges.Free;
            rest = others;
        }
        foreach (var clause in rest)
        {
            var cover = clause.Cover(index);
            if (!cover.IsEverything)
            {
                parts.Add(cover.Where);
            }
            if (!cover.Exact)
            {
                residual.Add(clause);
            }
        }
        var where = parts.Count switch { 0 => Predicate.Everything, 1 => parts[0], _ => new Predicate.AllOf(parts.DrainToImmutable()) };
        var plan = new SearchPlan(type, where, residual.DrainToImmutable(), RecordOrder.ById);
        if (!sort.IsEmpty)
        {
            plan = OrderOf(index, sort, startOrder) is { } order ? plan with { Order = order } : plan with { SortInMemory = sort };
        }
        else if (startOrder is { } byStart)
        {
            plan = plan with { Order = new(byStart, Descending: false) };
        }
        return free is not null && rest.Count == 0 && plan.SortInMemory.IsEmpty && plan.Order == new RecordOrder(startOrder, Descending: false)
            ? plan with { FreeSlots = free }
            : plan;
    }

    // The engine breaks ties by id in the direction of the order.
    private static RecordOrder? OrderOf(TypeIndex index, ImmutableArray<SortKey> sort, IndexField? startOrder)
    {
        if (sort.Length > 2 || (sort.Length == 2 && (sort[1].Parameter.Name != "_id" || sort[0].Descending != sort[1].Descending)))
        {
            return null;
        }
        var first = sort[0];
        if (first.Parameter.Name == "_id")
        {
            return sort.Length == 1 ? new RecordOrder(null, first.Descending) : null;
        }
        if (index.Find(first.Parameter)?.Index is not ClearInstantIndex clear)
        {
            return null;
        }
        return new RecordOrder(clear.Field == OperationalEntries.SlotStart && startOrder is { } byStart ? byStart : clear.Field, first.Descending);
    }
}
