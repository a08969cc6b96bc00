namespace FhirCore.Records;

/// <summary>Order of a query's records. Ties, and records without the field (always last), are ordered by id, ordinal, in the same direction.</summary>
/// <param name="Field">Null orders by id alone. A field used for ordering has at most one value in a record.</param>
public readonly record struct RecordOrder(IndexField? Field, bool Descending)
{
    public static RecordOrder ById => default;
}

/// <summary>Where a page ended: the order's value (empty: the record had none) and the id of its last record. The next page begins after it.</summary>
public sealed record RecordCursor(ReadOnlyMemory<byte> Value, string Id);

/// <summary>Current, undeleted records of one type.</summary>
/// <param name="Limit">Most records in the answer, 1 to 10,000.</param>
public sealed record RecordQuery(string Type, Predicate Where, RecordOrder Order, RecordCursor? After, int Limit);

/// <param name="Next">Null when nothing follows.</param>
public sealed record RecordPage(IReadOnlyList<StoredRecord> Records, RecordCursor? Next);

/// <summary>Versions, newest first; tombstones included. No key and no type: the whole store.</summary>
/// <param name="Type">Null for the whole store.</param>
/// <param name="Id">Null for the whole type.</param>
/// <param name="Since">Only versions written at or after this instant.</param>
/// <param name="Before">Sequence given by the previous page; null for the first page.</param>
public sealed record HistoryQuery(string? Type, string? Id, DateTimeOffset? Since, long? Before, int Limit);

/// <param name="Next">To be given as <see cref="HistoryQuery.Before"/>; null when nothing follows.</param>
public sealed record HistoryPage(IReadOnlyList<StoredRecord> Versions, long? Next);
