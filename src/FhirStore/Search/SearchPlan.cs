using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Slots;

namespace FhirStore.Search;

/// <summary>How the matches of a search are found: candidates by index, then the clauses the index cannot decide.</summary>
internal sealed record SearchPlan(string Type, Predicate Where, ImmutableArray<SearchClause> Residual, RecordOrder Order)
{
    /// <summary>Every candidate is a match: bodies need not be looked at.</summary>
    public bool IsExact => Residual.IsEmpty;

    /// <summary>Null where the order asked for is none of the index, so that matches are sorted in memory.</summary>
    public ImmutableArray<SortKey> SortInMemory { get; init; } = [];

    /// <summary>The matches in the plan's order, where they are the free slots of one schedule by start; null where they are not.</summary>
    public FreeSlotRange? FreeSlots { get; init; }
}
