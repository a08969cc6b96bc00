using System.Collections.Immutable;
using FhirCore;
using FhirStore.Access;
using FhirStore.Json;

namespace FhirStore.Writing;

/// <summary>One intended write, as REST, a Bundle entry, an operation or an import asks for it.</summary>
public abstract record WriteRequest
{
    private WriteRequest()
    {
    }

    /// <summary>FHIRPath of the place this came from (<c>Bundle.entry[3]</c>), put before expressions of refusals.</summary>
    public string? Location { get; init; }

    /// <summary>Why, for the change log; null takes the interaction's name.</summary>
    public string? Cause { get; init; }

    /// <summary>What other entries of the transaction call this resource (<c>urn:uuid:…</c>); references to it become <c>Type/id</c>.</summary>
    public string? FullUrl { get; init; }

    /// <summary>An entry of a transaction, be it the only one: its references may be search criteria.</summary>
    public bool InTransaction { get; init; }

    /// <summary>Whose request it is, for what is done in their name later; null where nothing will be.</summary>
    public KeptGrant? InNameOf { get; init; }

    /// <summary>What the request wants stored; null for a deletion.</summary>
    public ParsedResource? Body => this switch
    {
        Create create => create.Resource,
        Update update => update.Resource,
        ConditionalUpdate update => update.Resource,
        _ => null,
    };

    /// <param name="IfNoneExist">Search criteria, decoded; empty for an unconditional create.</param>
    public sealed record Create(ParsedResource Resource, ImmutableArray<KeyValuePair<string, string>> IfNoneExist) : WriteRequest;

    /// <summary>Also creates where the id is new (https://hl7.org/fhir/R4/http.html#upsert).</summary>
    /// <param name="IfMatch">Version from If-Match; null when not sent.</param>
    public sealed record Update(ResourceKey Key, ParsedResource Resource, long? IfMatch) : WriteRequest;

    public sealed record ConditionalUpdate(ParsedResource Resource, ImmutableArray<KeyValuePair<string, string>> Criteria, long? IfMatch) : WriteRequest;

    public sealed record Delete(ResourceKey Key, long? IfMatch) : WriteRequest;

    public sealed record ConditionalDelete(string Type, ImmutableArray<KeyValuePair<string, string>> Criteria) : WriteRequest;
}

public enum WriteKind
{
    Created,
    Updated,
    Deleted,
    /// <summary>A conditional create found its match, a delete found nothing: nothing was written.</summary>
    Unchanged,
}

/// <param name="Resource">As stored now; null where a delete found nothing.</param>
public sealed record WriteOutcome(WriteKind Kind, StoredResource? Resource);

/// <summary>Rules that look at every write before it is committed, whatever route it came by. They may refuse, change or add writes.</summary>
public interface IWriteRule
{
    /// <summary>Called once for each attempt to commit, with all writes of the commit resolved and structurally valid.</summary>
    /// <returns>Null to let it pass.</returns>
    ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, CancellationToken ct);
}
