using FhirCore.Records;

namespace FhirStore.Copying;

/// <summary>Count and digest of a store's rows, by kind.</summary>
public sealed class RowSums
{
    public StoreDigest Journal { get; init; } = new();

    public StoreDigest Records { get; init; } = new();

    public long Rows => Journal.Rows + Records.Rows;

    public void Add(StoreRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        (row is StoreRow.Journal ? Journal : Records).Add(row);
    }

    public bool SameAs(RowSums other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Journal.ToString() == other.Journal.ToString() && Records.ToString() == other.Records.ToString();
    }
}
