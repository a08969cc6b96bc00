using System.Text;

namespace FhirCore.Records;

/// <summary>
/// One indexed field of a record type: a stable 32-bit number made from its name, the same in every process and for ever.
/// All values of one field have the same length, so that they order as bytes.
/// </summary>
public readonly record struct IndexField(uint Number)
{
    /// <summary>Kept by the store for every record: 8 bytes, <see cref="SortableTime"/>.</summary>
    public static readonly IndexField LastUpdated = Of("_lastUpdated");

    /// <param name="name">Such as <c>identifier:value</c>; unique within the record type.</param>
    public static IndexField Of(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var hash = 2166136261u; // FNV-1a
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ b) * 16777619u;
        }
        return new(hash);
    }
}
