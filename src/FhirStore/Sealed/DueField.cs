using FhirCore.Records;

namespace FhirStore.Sealed;

/// <summary>
/// When a record is to be looked at: shard (1 byte), time (8), clear and kept in order, so that what is due of one shard is a range. Only on
/// records that wait for something.
/// </summary>
public static class DueField
{
    public static readonly IndexField Field = IndexField.Of("~due");

    public static RecordOrder Order => new(Field, Descending: false);

    public static void Add(IndexEntries.Builder entries, byte shard, DateTimeOffset due)
    {
        ArgumentNullException.ThrowIfNull(entries);
        entries.Add(Field, Value(shard, due));
    }

    /// <summary>What was due at the instant or before.</summary>
    public static Predicate Until(byte shard, DateTimeOffset instant) =>
        new Predicate.Between(Field, Value(shard, DateTimeOffset.MinValue), Value(shard, instant.AddMicroseconds(1)));

    private static byte[] Value(byte shard, DateTimeOffset time)
    {
        var value = new byte[1 + SortableTime.Length];
        value[0] = shard;
        SortableTime.Write(time, value.AsSpan(1));
        return value;
    }
}
