using System.Collections.Immutable;
using FhirCore;
using FhirStore.Indexing;

namespace FhirStore.Search;

internal enum TotalMode
{
    /// <summary>Not asked for: given where it costs nothing.</summary>
    WhereFree,
    None,
    Accurate,
}

/// <summary>A search as parsed.</summary>
internal sealed record SearchQuery
{
    public required string Type { get; init; }

    public ImmutableArray<Criterion> Criteria { get; init; } = [];

    public ImmutableArray<SortKey> Sort { get; init; } = [];

    public ImmutableArray<IncludeSpec> Includes { get; init; } = [];

    public int Count { get; init; }

    public TotalMode Total { get; init; }

    public bool CountOnly { get; init; }

    public ImmutableArray<Issue> Notes { get; init; } = [];
}

internal sealed record SortKey(SearchParameter Parameter, bool Descending);

/// <param name="Reverse">True for <c>_revinclude</c>.</param>
/// <param name="Iterate">Followed from included resources too.</param>
/// <param name="Parameters">The references to follow: all of the source type for <c>*</c>.</param>
/// <param name="TargetType">Only resources of this type.</param>
internal sealed record IncludeSpec(bool Reverse, bool Iterate, string SourceType, ImmutableArray<SearchParameter> Parameters, string? TargetType);
