using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>Computes the index entries of a resource: keyed tokens for personal parameters, clear values for operational ones.</summary>
public sealed class ResourceIndexer(IndexTokens tokens)
{
    private readonly IndexTokens _tokens = tokens;

    public IndexEntries Index(ResourceKey key, DateTimeOffset lastUpdated, JsonElement resource) => throw new NotImplementedException();

    /// <summary>The patient whose data this is: the resource itself, or the one patient its compartment parameters name; null otherwise.</summary>
    public string? SubjectOf(ResourceKey key, JsonElement resource) => throw new NotImplementedException();
}
