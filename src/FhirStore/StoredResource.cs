using FhirCore;

namespace FhirStore;

/// <summary>One version of a resource as clients get it.</summary>
/// <param name="Json">Canonical UTF-8 JSON, meta included; empty for a deletion.</param>
public sealed record StoredResource(ResourceKey Key, long Version, DateTimeOffset LastUpdated, bool Deleted, ReadOnlyMemory<byte> Json)
{
    /// <summary>Of its record: the patient's id, the schedule's, or its own. Null where it was not read from one.</summary>
    public string? Partition { get; init; }

    /// <summary>The one patient whose data this is, as far as its place tells; also of a deletion.</summary>
    public string? Patient => Key.Type == "Patient" ? Key.Id : Key.Type == "Slot" || Partition == Key.Id ? null : Partition;
}
