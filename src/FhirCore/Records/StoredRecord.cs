namespace FhirCore.Records;

/// <summary>One version of one record as an engine keeps it: identity, version and index entries readable, body opaque (ciphertext).</summary>
public sealed record StoredRecord
{
    public required ResourceKey Key { get; init; }

    /// <summary>From 1; grows by one with every write, a deletion included.</summary>
    public required long Version { get; init; }

    /// <summary>UTC, precise to the millisecond.</summary>
    public required DateTimeOffset LastUpdated { get; init; }

    /// <summary>A tombstone: the body is empty and the record has no index entries.</summary>
    public bool Deleted { get; init; }

    /// <summary>Opaque id of the shard: the patient's id, the schedule's id, or the record's own. Readable by the engine.</summary>
    public required string Partition { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Entries of the current version. Versions in history have none.</summary>
    public IndexEntries Index { get; init; }
}
