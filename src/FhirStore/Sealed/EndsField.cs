using FhirCore.Records;

namespace FhirStore.Sealed;

/// <summary>When a record is of no use any more: clear, so that sweeps find it.</summary>
public static class EndsField
{
    private static readonly IndexField Ends = IndexField.Of("ends");

    public static void Add(IndexEntries.Builder entries, DateTimeOffset ends) => entries.Add(Ends, SortableTime.Encode(ends));

    public static Predicate Before(DateTimeOffset instant) => new Predicate.Between(Ends, new byte[SortableTime.Length], SortableTime.Encode(instant));
}
