using System.Collections.Immutable;
using FhirCore;
using FhirStore.Indexing;
using FhirStore.Model;
using FhirStore.Search.Values;

namespace FhirStore.Search;

/// <summary>Reads one search condition: <c>name</c>, <c>name:modifier</c>, <c>reference:Type.name</c>, <c>_has:Type:reference:name</c>.</summary>
internal sealed class CriterionParser(ValueParser values)
{
    private const string HasMark = "_has:";
    private const int MostSteps = 8;

    /// <returns>Null where the type has no such parameter.</returns>
    public Outcome<Criterion?> Parse(string type, string name, string value) => Parse(type, name, value, name, 0);

    private Outcome<Criterion?> Parse(string type, string name, string value, string written, int depth)
    {
        if (depth > MostSteps)
        {
            return SearchFailures.Invalid($"'{written}' has more than {MostSteps} steps.");
        }
        if (name.StartsWith(HasMark, StringComparison.Ordinal))
        {
            return Has(type, name, value, written, depth);
        }
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0)
        {
            return Chain(type, name[..dot], name[(dot + 1)..], value, written, depth);
        }
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        var modifier = colon < 0 ? "" : name[(colon + 1)..];
        var bare = colon < 0 ? name : name[..colon];
        if (SearchParameterCatalog.For(type).Find(bare) is not { } parameter)
        {
            return NotYet(bare) is { } refusal ? refusal : (Criterion?)null;
        }
        return Clause(parameter, modifier, value).TryGet(out var clause, out var failure) ? new Criterion.Plain(written, clause) : failure;
    }

    private static FhirFailure? NotYet(string name) =>
        name is "_filter" or "_text" or "_content" or "_list" or "_query" or "_type" or "_has" ? SearchFailures.NotYet($"The search parameter '{name}'{(name == "_has" ? " without :Type:reference:parameter" : "")}") : null;

    private Outcome<SearchClause> Clause(SearchParameter parameter, string modifier, string value)
    {
        if (parameter.Kind == SearchKind.Special || (parameter.Paths.IsEmpty && parameter.Kind != SearchKind.Composite))
        {
            return SearchFailures.NotYet($"The search parameter '{parameter.Name}' of {parameter.ResourceType}");
        }
        if (modifier == "missing")
        {
            return value switch
            {
                "true" => new MissingClause(parameter, true),
                "false" => new MissingClause(parameter, false),
                _ => SearchFailures.BadValue(parameter.Name + ":missing", "true or false"),
            };
        }
        if (CheckModifier(parameter, modifier) is { } refusal)
        {
            return refusal;
        }
        var texts = SearchText.Split(value, ',');
        texts.RemoveAll(string.IsNullOrEmpty);
        if (texts.Count == 0)
        {
            return SearchFailures.BadValue(parameter.Name, "at least one value");
        }
        if (parameter.Name == "_id")
        {
            return new IdClause(texts.Select(SearchText.Unescape).ToImmutableSortedSet(StringComparer.Ordinal), modifier == "not");
        }
        return parameter.Kind == SearchKind.Composite ? Composite(parameter, texts) : Values(parameter, modifier, texts);
    }

    private Outcome<SearchClause> Values(SearchParameter parameter, string modifier, List<string> texts)
    {
        var parsed = ImmutableArray.CreateBuilder<SearchValue>(texts.Count);
        foreach (var text in texts)
        {
            if (!values.Parse(parameter, modifier, text).TryGet(out var one, out var failure))
            {
                return failure;
            }
            parsed.Add(one);
        }
        return new ValueClause(parameter, parsed.DrainToImmutable(), modifier == "not");
    }

    private Outcome<SearchClause> Composite(SearchParameter parameter, List<string> texts)
    {
        var parsed = ImmutableArray.CreateBuilder<CompositeValue>(texts.Count);
        foreach (var text in texts)
        {
            if (!values.ParseComposite(parameter, text).TryGet(out var one, out var failure))
            {
                return failure;
            }
            parsed.Add(one);
        }
        return new CompositeClause(parameter, parsed.DrainToImmutable());
    }

    private static FhirFailure? CheckModifier(SearchParameter parameter, string modifier)
    {
        if (modifier.Length == 0)
        {
            return null;
        }
        var here = (parameter.Kind, modifier) switch
        {
            (SearchKind.String, "exact" or "contains") => true,
            (SearchKind.Token, "not" or "text" or "of-type") => true,
            (SearchKind.Uri, "above" or "below") => true,
            (SearchKind.Reference, "identifier") => true,
            (SearchKind.Reference, _) => R4Model.IsResourceType(modifier),
            _ => false,
        };
        if (here)
        {
            return null;
        }
        return (parameter.Kind, modifier) switch
        {
            (SearchKind.Token, "in" or "not-in" or "above" or "below") or (SearchKind.Reference, "above" or "below") or (SearchKind.String, "text") =>
                SearchFailures.NotYet($"The modifier ':{modifier}' on search parameter '{parameter.Name}'"),
            _ => SearchFailures.Invalid($"Search parameter '{parameter.Name}' is of type {parameter.Kind.ToString().ToLowerInvariant()}, which has no modifier ':{modifier}'."),
        };
    }

    private Outcome<Criterion?> Chain(string type, string head, string rest, string value, string written, int depth)
    {
        var colon = head.IndexOf(':', StringComparison.Ordinal);
        var wanted = colon < 0 ? null : head[(colon + 1)..];
        var bare = colon < 0 ? head : head[..colon];
        if (SearchParameterCatalog.For(type).Find(bare) is not { } reference)
        {
            return (Criterion?)null;
        }
        if (reference.Kind != SearchKind.Reference)
        {
            return SearchFailures.Invalid($"'{written}' chains through '{bare}' of {type}, which is no reference.");
        }
        if (wanted is not null && !R4Model.IsResourceType(wanted))
        {
            return SearchFailures.Invalid($"'{written}' names the type '{wanted}', which R4 does not have.");
        }
        var types = wanted is not null ? [wanted] : reference.Targets.IsEmpty ? R4Model.ResourceTypes : (IReadOnlyList<string>)reference.Targets;
        var targets = ImmutableArray.CreateBuilder<(string, Criterion)>();
        FhirFailure? first = null;
        foreach (var target in types)
        {
            if (!R4Model.IsResourceType(target))
            {
                continue;
            }
            if (!Parse(target, rest, value, written, depth + 1).TryGet(out var inner, out var failure) && failure is not null)
            {
                first ??= failure;
            }
            else if (inner is not null)
            {
                targets.Add((target, inner));
            }
        }
        if (targets.Count == 0)
        {
            return first ?? SearchFailures.Invalid($"'{written}': none of the types that '{bare}' of {type} leads to has a search parameter '{rest}'.");
        }
        return new Criterion.Chain(written, reference, targets.DrainToImmutable());
    }

    private Outcome<Criterion?> Has(string type, string name, string value, string written, int depth)
    {
        var parts = name[HasMark.Length..].Split(':', 3);
        if (parts.Length < 3 || parts[2].Length == 0)
        {
            return SearchFailures.Invalid($"'{written}' is not of the form _has:Type:reference:parameter.");
        }
        if (!R4Model.IsResourceType(parts[0]))
        {
            return SearchFailures.Invalid($"'{written}' names the type '{parts[0]}', which R4 does not have.");
        }
        if (SearchParameterCatalog.For(parts[0]).Find(parts[1]) is not { Kind: SearchKind.Reference } reference)
        {
            return SearchFailures.Invalid($"'{written}': {parts[0]} has no reference parameter '{parts[1]}'.");
        }
        if (!reference.Targets.IsEmpty && !reference.Targets.Contains(type))
        {
            return SearchFailures.Invalid($"'{written}': '{parts[1]}' of {parts[0]} never refers to a {type}.");
        }
        if (!Parse(parts[0], parts[2], value, written, depth + 1).TryGet(out var inner, out var failure) && failure is not null)
        {
            return failure;
        }
        return inner is null
            ? SearchFailures.Invalid($"'{written}': {parts[0]} has no search parameter '{parts[2]}'.")
            : new Criterion.Has(written, parts[0], reference, inner);
    }
}
