using System.Collections.Immutable;
using System.Globalization;
using FhirCore;
using FhirStore.Indexing;
using FhirStore.Model;

namespace FhirStore.Search;

/// <summary>Reads the parameters of a search. Nothing is dropped in silence: what is ignored is noted, what is not there yet is refused.</summary>
internal sealed class QueryParser(CriterionParser criteria, SearchOptions options)
{
    public Outcome<SearchQuery> Parse(string type, ImmutableArray<KeyValuePair<string, string>> parameters, bool strict)
    {
        var query = new Draft(type) { Count = options.DefaultCount };
        foreach (var (name, value) in parameters)
        {
            if (Read(query, name, value, strict) is { } failure)
            {
                return failure;
            }
        }
        return query.Finish();
    }

    /// <summary>The criteria of a conditional interaction: conditions only, and each must be known and have a value.</summary>
    public Outcome<SearchQuery> ParseCriteria(string type, ImmutableArray<KeyValuePair<string, string>> parameters)
    {
        var query = new Draft(type);
        foreach (var (name, value) in parameters)
        {
            if (IsResultParameter(name))
            {
                return SearchFailures.Invalid($"'{name}' is no condition: the criteria of a conditional interaction take search parameters only.");
            }
            if (value.Length == 0)
            {
                return SearchFailures.Invalid($"The criterion '{name}' has no value.");
            }
            if (ReadCriterion(query, name, value, strict: true) is { } failure)
            {
                return failure;
            }
        }
        return query.Criteria.Count == 0 ? SearchFailures.Invalid("A conditional interaction needs at least one criterion.") : query.Finish();
    }

    private static bool IsResultParameter(string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return (colon < 0 ? name : name[..colon]) is "_sort" or "_count" or "_total" or "_summary" or "_elements" or "_contained" or "_containedType" or "_include" or "_revinclude"
            or "_format" or "_pretty" or "_page" or "_score" or "_maxresults";
    }

    private FhirFailure? Read(Draft query, string name, string value, bool strict) => name switch
    {
        "_format" or "_pretty" or "_page" => null,
        "_count" => Count(query, value),
        "_sort" => Sort(query, value, strict),
        "_total" => Total(query, value),
        "_summary" => Summary(query, value),
        "_elements" or "_containedType" => SearchFailures.NotYet($"The result parameter '{name}'"),
        "_contained" => value is "" or "false" ? null : SearchFailures.NotYet("'_contained' with a value other than false"),
        "_include" or "_revinclude" or "_include:iterate" or "_revinclude:iterate" or "_include:recurse" or "_revinclude:recurse" => Include(query, name, value),
        _ => ReadCriterion(query, name, value, strict),
    };

    private FhirFailure? ReadCriterion(Draft query, string name, string value, bool strict)
    {
        if (value.Length == 0)
        {
            return Ignore(query, $"Search parameter '{name}' has no value and was ignored.", strict);
        }
        if (!criteria.Parse(query.Type, name, value).TryGet(out var criterion, out var failure) && failure is not null)
        {
            return failure;
        }
        if (criterion is null)
        {
            return Ignore(query, $"{query.Type} has no search parameter '{name}'. It was ignored.", strict);
        }
        query.Criteria.Add(criterion);
        return null;
    }

    private static FhirFailure? Ignore(Draft query, string note, bool strict)
    {
        if (strict)
        {
            return FhirFailure.Of(FailureKind.Invalid, note.Replace(" and was ignored", "", StringComparison.Ordinal).Replace(" It was ignored.", "", StringComparison.Ordinal), code: "not-supported");
        }
        query.Notes.Add(Issue.Warning("not-supported", note));
        return null;
    }

    private FhirFailure? Count(Draft query, string value)
    {
        if (value.Length == 0)
        {
            return null;
        }
        // Numbers beyond any type's range are still numbers.
        if (!value.All(char.IsAsciiDigit))
        {
            return SearchFailures.BadValue("_count", "a whole number from 0");
        }
        var count = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var small) ? small : int.MaxValue;
        if (count == 0)
        {
            query.CountOnly = true;
        }
        if (count > options.MaxCount)
        {
            query.Notes.Add(Issue.Information("informational", $"_count was cut to {options.MaxCount}, the most this server gives on a page."));
            count = options.MaxCount;
        }
        query.Count = count;
        return null;
    }

    private static FhirFailure? Sort(Draft query, string value, bool strict)
    {
        foreach (var key in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var descending = key.StartsWith('-');
            var name = descending ? key[1..] : key;
            if (name.Contains(':', StringComparison.Ordinal) || name.Contains('.', StringComparison.Ordinal))
            {
                return SearchFailures.NotYet($"'_sort' by '{name}', a modifier or chain,");
            }
            if (SearchParameterCatalog.For(query.Type).Find(name) is not { } parameter)
            {
                if (Ignore(query, $"{query.Type} has no search parameter '{name}' to sort by. It was ignored.", strict) is { } failure)
                {
                    return failure;
                }
            }
            else if (parameter.Kind is SearchKind.Composite or SearchKind.Special || parameter.Paths.IsEmpty)
            {
                return SearchFailures.NotYet($"'_sort' by '{name}'");
            }
            else
            {
                query.Sort.Add(new(parameter, descending));
            }
        }
        return null;
    }

    private static FhirFailure? Total(Draft query, string value)
    {
        switch (value)
        {
            case "":
                return null;
            case "none":
                query.Total = TotalMode.None;
                return null;
            case "estimate" or "accurate":
                query.Total = TotalMode.Accurate;
                return null;
            default:
                return SearchFailures.BadValue("_total", "none, estimate or accurate");
        }
    }

    private static FhirFailure? Summary(Draft query, string value)
    {
        switch (value)
        {
            case "" or "false":
                return null;
            case "count":
                query.CountOnly = true;
                return null;
            case "true" or "text" or "data":
                return SearchFailures.NotYet($"'_summary={value}'");
            default:
                return SearchFailures.BadValue("_summary", "count or false");
        }
    }

    private static FhirFailure? Include(Draft query, string name, string value)
    {
        var reverse = name.StartsWith("_rev", StringComparison.Ordinal);
        var iterate = name.Contains(':', StringComparison.Ordinal);
        var parts = value.Split(':');
        if (parts is ["*"])
        {
            if (reverse)
            {
                return SearchFailures.Invalid("'_revinclude=*' names no source type: write Type:* or Type:parameter.");
            }
            parts = [query.Type, "*"];
        }
        if (parts.Length is not (2 or 3) || !R4Model.IsResourceType(parts[0]))
        {
            return SearchFailures.BadValue(name, "Type:parameter or Type:parameter:TargetType");
        }
        var target = parts.Length == 3 && parts[2].Length > 0 ? parts[2] : null;
        if (target is not null && !R4Model.IsResourceType(target))
        {
            return SearchFailures.BadValue(name, "a resource type of R4 as target");
        }
        var source = SearchParameterCatalog.For(parts[0]);
        if (parts[1] == "*")
        {
            query.Includes.Add(new(reverse, iterate, parts[0], [.. source.All.Where(p => p.Kind == SearchKind.Reference && !p.Paths.IsEmpty)], target));
            return null;
        }
        if (source.Find(parts[1]) is not { Kind: SearchKind.Reference } reference)
        {
            return SearchFailures.Invalid($"'{name}': {parts[0]} has no reference parameter of the name given.");
        }
        query.Includes.Add(new(reverse, iterate, parts[0], [reference], target));
        return null;
    }

    private sealed class Draft(string type)
    {
        public string Type { get; } = type;

        public List<Criterion> Criteria { get; } = [];

        public List<SortKey> Sort { get; } = [];

        public List<IncludeSpec> Includes { get; } = [];

        public List<Issue> Notes { get; } = [];

        public int Count { get; set; }

        public bool CountOnly { get; set; }

        public TotalMode Total { get; set; }

        public SearchQuery Finish() => new()
        {
            Type = Type,
            Criteria = [.. Criteria],
            Sort = [.. Sort],
            Includes = [.. Includes],
            Notes = [.. Notes],
            Count = Count,
            CountOnly = CountOnly,
            Total = Total,
        };
    }
}
