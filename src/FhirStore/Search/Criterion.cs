using System.Collections.Immutable;
using FhirStore.Indexing;

namespace FhirStore.Search;

/// <summary>A search condition as written: a clause, or a link that other resources must be looked at for.</summary>
internal abstract record Criterion
{
    private Criterion()
    {
    }

    /// <param name="Name">As written in the request, for messages.</param>
    public sealed record Plain(string Name, SearchClause Clause) : Criterion;

    /// <summary>A reference to a resource that meets a condition; one for each type that the chain may lead to.</summary>
    public sealed record Chain(string Name, SearchParameter Reference, ImmutableArray<(string Type, Criterion Inner)> Targets) : Criterion;

    /// <summary><c>_has</c>: a resource that meets a condition refers to this one.</summary>
    public sealed record Has(string Name, string SourceType, SearchParameter Reference, Criterion Inner) : Criterion;
}
