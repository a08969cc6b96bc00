using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Indexing;
using FhirStore.Search.Values;

namespace FhirStore.Search;

/// <summary>One condition of a search: its meaning on a resource, and what the index knows of it.</summary>
internal abstract class SearchClause
{
    /// <summary>The full semantics, independent of any index.</summary>
    public abstract bool Matches(ResourceKey key, JsonElement resource);

    public abstract Cover Cover(TypeIndex index);
}

/// <summary>A parameter with its OR-ed values; negated by <c>:not</c>.</summary>
internal sealed class ValueClause(SearchParameter parameter, ImmutableArray<SearchValue> values, bool negated = false) : SearchClause
{
    public SearchParameter Parameter => parameter;

    public ImmutableArray<SearchValue> Values => values;

    public bool IsNegated => negated;

    public override bool Matches(ResourceKey key, JsonElement resource)
    {
        var visitor = new Visitor(values);
        return parameter.Visit(resource, ref visitor) != negated;
    }

    public override Cover Cover(TypeIndex index)
    {
        if (index.Find(parameter) is not { } entries)
        {
            return Indexing.Cover.Unknown;
        }
        var covers = new Cover[values.Length];
        for (var i = 0; i < covers.Length; i++)
        {
            covers[i] = values[i].Cover(entries.Index);
            if (parameter.OnlyTarget is { } type && !values[i].LeadsOnlyTo(type))
            {
                covers[i] = covers[i].Inexact; // the entries are those of references to any type
            }
        }
        var any = Indexing.Cover.AnyOf(covers);
        if (!entries.Exact)
        {
            any = any.Inexact;
        }
        return !negated ? any : any.Exact ? new(new Predicate.Not(any.Where), true) : Indexing.Cover.Unknown;
    }

    private readonly struct Visitor(ImmutableArray<SearchValue> values) : IElementVisitor
    {
        public bool Visit(JsonElement element, ElementShape shape)
        {
            foreach (var value in values)
            {
                if (value.Matches(element, shape))
                {
                    return true;
                }
            }
            return false;
        }
    }
}

/// <summary><c>:missing</c>.</summary>
internal sealed class MissingClause(SearchParameter parameter, bool missing) : SearchClause
{
    public override bool Matches(ResourceKey key, JsonElement resource) => parameter.HasAny(resource) != missing;

    public override Cover Cover(TypeIndex index) => Indexing.Cover.Unknown;
}

internal sealed class CompositeClause(SearchParameter parameter, ImmutableArray<CompositeValue> values) : SearchClause
{
    public override bool Matches(ResourceKey key, JsonElement resource)
    {
        var visitor = new Visitor(resource, values);
        return parameter.Visit(resource, ref visitor);
    }

    public override Cover Cover(TypeIndex index) => Indexing.Cover.Unknown;

    private readonly struct Visitor(JsonElement resource, ImmutableArray<CompositeValue> values) : IElementVisitor
    {
        public bool Visit(JsonElement element, ElementShape shape)
        {
            foreach (var value in values)
            {
                if (value.Matches(resource, element))
                {
                    return true;
                }
            }
            return false;
        }
    }
}

/// <summary>The resource is one of these: <c>_id</c>, or what a <c>_has</c> found.</summary>
internal sealed class IdClause(ImmutableSortedSet<string> ids, bool negated = false) : SearchClause
{
    public ImmutableSortedSet<string> Ids => ids;

    public bool IsNegated => negated;

    public override bool Matches(ResourceKey key, JsonElement resource) => ids.Contains(key.Id) != negated;

    public override Cover Cover(TypeIndex index)
    {
        Predicate where = ids.IsEmpty ? Predicate.Nothing : new Predicate.IdIn(ids);
        return new(negated ? new Predicate.Not(where) : where, true);
    }
}
