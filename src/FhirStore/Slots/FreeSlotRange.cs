namespace FhirStore.Slots;

/// <summary>Free slots of one schedule that start in a span of time.</summary>
/// <param name="Schedule">As <see cref="Indexing.OperationalFields.ReferenceToken"/> makes it of <c>Schedule/id</c>.</param>
/// <param name="From">Included; microseconds since 0001-01-01 UTC, as <see cref="FhirCore.Records.SortableTime"/> counts.</param>
/// <param name="To">Excluded; <see cref="long.MaxValue"/> where there is no end.</param>
internal readonly record struct FreeSlotRange(ReadOnlyMemory<byte> Schedule, long From, long To);
