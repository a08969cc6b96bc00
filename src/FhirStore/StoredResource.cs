using FhirCore;

namespace FhirStore;

/// <summary>One version of a resource as clients get it.</summary>
/// <param name="Json">Canonical UTF-8 JSON, meta included; empty for a deletion.</param>
public sealed record StoredResource(ResourceKey Key, long Version, DateTimeOffset LastUpdated, bool Deleted, ReadOnlyMemory<byte> Json);
