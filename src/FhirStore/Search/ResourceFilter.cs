using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore.Indexing;
using FhirStore.Search.Values;

namespace FhirStore.Search;

/// <summary>
/// The conditions of a search, asked of resources that are made when they are asked for. What it says of single conditions only narrows
/// where to look: <see cref="Matches"/> decides.
/// </summary>
public sealed class ResourceFilter
{
    private readonly SearchQuery _query;
    private readonly List<SearchClause> _clauses;

    internal ResourceFilter(SearchQuery query, List<SearchClause> clauses)
    {
        _query = query;
        _clauses = clauses;
    }

    public int Count => _query.Count;

    /// <summary><c>_summary=count</c>, or a <c>_count</c> of 0.</summary>
    public bool CountOnly => _query.CountOnly;

    public bool WantsTotal => _query.Total == TotalMode.Accurate;

    public ImmutableArray<Issue> Notes => _query.Notes;

    public bool HasIncludes => !_query.Includes.IsEmpty;

    /// <summary>No condition at all.</summary>
    public bool IsEverything => _clauses.Count == 0;

    /// <summary>Keys of <c>_sort</c> as they were written.</summary>
    public IEnumerable<string> Sort => _query.Sort.Select(key => key.Descending ? "-" + key.Parameter.Name : key.Parameter.Name);

    public bool Matches(ResourceKey key, JsonElement resource)
    {
        foreach (var clause in _clauses)
        {
            if (!clause.Matches(key, resource))
            {
                return false;
            }
        }
        return true;
    }

    /// <returns>The ids it asks for; null where it asks for none in particular.</returns>
    public ImmutableSortedSet<string>? Ids
    {
        get
        {
            var all = _clauses.OfType<IdClause>().Where(clause => !clause.IsNegated).Select(clause => clause.Ids).ToArray();
            return all.Length == 0 ? null : all.Aggregate((a, b) => a.Intersect(b));
        }
    }

    /// <summary>A match has some value of the parameter.</summary>
    public bool Needs(string parameter) => ValuesOf(parameter).Any();

    /// <summary>For each condition on the reference parameter: the resources that it takes, one of which a match refers to.</summary>
    /// <returns>Conditions that name none in particular are left out.</returns>
    public IEnumerable<ImmutableArray<string>> ReferencesOf(string parameter) => References(ValuesOf(parameter));

    /// <summary>The same of all its conditions on references.</summary>
    public IEnumerable<ImmutableArray<string>> References() => References(_clauses.OfType<ValueClause>().Where(clause => !clause.IsNegated));

    private static IEnumerable<ImmutableArray<string>> References(IEnumerable<ValueClause> clauses)
    {
        foreach (var clause in clauses)
        {
            var literal = clause.Values.SelectMany(value => value switch
            {
                ReferenceValue reference => [reference.Wanted],
                ReferenceIdValue { Targets: { IsEmpty: false } targets } id => targets.Select(type => $"{type}/{id.Id}"),
                _ => (IEnumerable<string?>)[null],
            }).ToImmutableArray();
            if (!literal.Contains(null))
            {
                yield return literal!;
            }
        }
    }

    /// <summary>The same of <c>:identifier</c>: the values of identifiers.</summary>
    public IEnumerable<ImmutableArray<string>> IdentifiersOf(string parameter)
    {
        foreach (var clause in ValuesOf(parameter))
        {
            var codes = clause.Values.Select(value => (value as ReferenceIdentifierValue)?.Identifier.Code).ToImmutableArray();
            if (!codes.Contains(null))
            {
                yield return codes!;
            }
        }
    }

    /// <summary>Times between which a match's date lies; both are at the ends of the calendar where nothing says more.</summary>
    public (DateTimeOffset From, DateTimeOffset To) SpanOf(string parameter)
    {
        var (from, to) = (DateInterval.Earliest, DateInterval.Latest);
        foreach (var dates in ValuesOf(parameter).Select(clause => clause.Values.OfType<DateValue>().ToArray()))
        {
            from = Math.Max(from, dates.Select(Earliest).DefaultIfEmpty(from).Min());
            to = Math.Min(to, dates.Select(Latest).DefaultIfEmpty(to).Max());
        }
        return (Instant(from), Instant(to));
    }

    private static long Earliest(DateValue date) => date.Comparison switch
    {
        Comparison.Lt or Comparison.Le or Comparison.Eb or Comparison.Ne => DateInterval.Earliest,
        _ => date.Value.Start,
    };

    private static long Latest(DateValue date) => date.Comparison switch
    {
        Comparison.Gt or Comparison.Ge or Comparison.Sa or Comparison.Ne => DateInterval.Latest,
        _ => date.Value.End,
    };

    private static DateTimeOffset Instant(long micros) => new(Math.Clamp(micros, 0, DateTimeOffset.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond) * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    private IEnumerable<ValueClause> ValuesOf(string parameter) =>
        _clauses.OfType<ValueClause>().Where(clause => !clause.IsNegated && clause.Parameter.Name == parameter);
}
