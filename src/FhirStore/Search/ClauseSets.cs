using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Indexing;

namespace FhirStore.Search;

/// <summary>Any of several conditions; none at all matches nothing.</summary>
internal sealed class AnyOfClause(ImmutableArray<SearchClause> clauses) : SearchClause
{
    public ImmutableArray<SearchClause> Clauses => clauses;

    public override bool Matches(ResourceKey key, JsonElement resource)
    {
        foreach (var clause in clauses)
        {
            if (clause.Matches(key, resource))
            {
                return true;
            }
        }
        return false;
    }

    public override Cover Cover(TypeIndex index) =>
        clauses.IsEmpty ? Indexing.Cover.Nothing : Indexing.Cover.AnyOf([.. clauses.Select(clause => clause.Cover(index))]);
}

/// <summary>All of several conditions at once.</summary>
internal sealed class AllOfClause(ImmutableArray<SearchClause> clauses) : SearchClause
{
    public override bool Matches(ResourceKey key, JsonElement resource)
    {
        foreach (var clause in clauses)
        {
            if (!clause.Matches(key, resource))
            {
                return false;
            }
        }
        return true;
    }

    public override Cover Cover(TypeIndex index)
    {
        var parts = ImmutableArray.CreateBuilder<Predicate>(clauses.Length);
        var exact = true;
        foreach (var clause in clauses)
        {
            var cover = clause.Cover(index);
            exact &= cover.Exact;
            if (ReferenceEquals(cover.Where, Predicate.Nothing))
            {
                return Indexing.Cover.Nothing;
            }
            if (!cover.IsEverything)
            {
                parts.Add(cover.Where);
            }
        }
        return new(parts.Count switch { 0 => Predicate.Everything, 1 => parts[0], _ => new Predicate.AllOf(parts.DrainToImmutable()) }, exact);
    }
}
