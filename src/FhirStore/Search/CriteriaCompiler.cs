using FhirCore;

namespace FhirStore.Search;

/// <summary>
/// Search criteria as a value that is asked of resources as they change, one at a time: conditions on the resource itself only. What
/// other resources would have to be looked at for (chains, <c>_has</c>) is refused, for they may change without it.
/// </summary>
public sealed class CriteriaCompiler
{
    private readonly CriterionParser _criteria;

    public CriteriaCompiler(SearchOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        _criteria = new(new ValueParser(options.BaseUrl, clock));
    }

    /// <param name="query">What stands behind the question mark. Empty matches everything.</param>
    public Outcome<ResourceFilter> Compile(string type, string query) => Compile(type, QueryText.Parse(query));

    /// <param name="parameters">Decoded.</param>
    public Outcome<ResourceFilter> Compile(string type, IEnumerable<KeyValuePair<string, string>> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var clauses = new List<SearchClause>();
        foreach (var (name, value) in parameters)
        {
            if (value.Length == 0)
            {
                return SearchFailures.Invalid($"The criterion '{name}' has no value.");
            }
            if (!_criteria.Parse(type, name, value).TryGet(out var criterion, out var failure) && failure is not null)
            {
                return failure;
            }
            switch (criterion)
            {
                case Criterion.Plain plain:
                    clauses.Add(plain.Clause);
                    break;
                case null:
                    return SearchFailures.Invalid($"{type} has no search parameter '{name}'.");
                default:
                    return SearchFailures.Invalid($"'{name}' looks at other resources (a chain or _has); here only conditions on the {type} itself can be kept an eye on.");
            }
        }
        return new ResourceFilter(new SearchQuery { Type = type }, clauses);
    }
}
