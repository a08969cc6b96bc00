using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Sealed;

namespace FhirStore.Indexing;

/// <summary>Every field that some query orders by. A record has at most one value of each; an engine may keep them apart, in order.</summary>
public static class OrderedFields
{
    public static ImmutableArray<IndexField> All { get; } =
    [
        OperationalEntries.SlotStart, OperationalEntries.AppointmentStart, OperationalFields.SlotScheduleStart, OperationalFields.SlotScheduleStatusStart,
        DueField.Field,
    ];
}
