using System.Collections.Immutable;
using System.Text;
using FhirCore;
using FhirStore.Indexing;
using FhirStore.Model;
using FhirStore.Search.Values;

namespace FhirStore.Search;

/// <summary>Reads the value of one parameter. Refusals name the parameter, never its value.</summary>
internal sealed class ValueParser(string? baseUrl, TimeProvider clock)
{
    /// <param name="modifier">Empty where there is none; one that R4 allows for the parameter's type.</param>
    public Outcome<SearchValue> Parse(SearchParameter parameter, string modifier, string text) => parameter.Kind switch
    {
        SearchKind.String => new StringValue(SearchText.Unescape(text), modifier switch { "exact" => StringMode.Exact, "contains" => StringMode.Contains, _ => StringMode.Starts }),
        SearchKind.Token => Token(parameter, modifier, text),
        SearchKind.Reference => Reference(parameter, modifier, text),
        SearchKind.Date => Date(parameter, text),
        SearchKind.Number => Widen(Number(parameter, text, "a number, such as 5.40, with or without a prefix")),
        SearchKind.Quantity => Quantity(parameter, text),
        SearchKind.Uri => new UriValue(SearchText.Unescape(text), modifier switch { "below" => UriMode.Below, "above" => UriMode.Above, _ => UriMode.Exact }),
        _ => throw new ArgumentOutOfRangeException(nameof(parameter), parameter.Kind, "This kind is read elsewhere."),
    };

    /// <summary>The components of a composite, <c>$</c> between them.</summary>
    public Outcome<CompositeValue> ParseComposite(SearchParameter parameter, string text)
    {
        var parts = SearchText.Split(text, '$');
        if (parts.Count != parameter.Parts.Length)
        {
            return Bad(parameter, $"{parameter.Parts.Length} values with $ between them");
        }
        var values = ImmutableArray.CreateBuilder<SearchValue>(parts.Count);
        for (var i = 0; i < parts.Count; i++)
        {
            var part = new SearchParameter { ResourceType = parameter.ResourceType, Name = parameter.Name, Kind = parameter.Parts[i].Kind, Url = parameter.Url, Paths = parameter.Parts[i].Paths };
            if (!Parse(part, "", parts[i]).TryGet(out var value, out var failure))
            {
                return failure;
            }
            values.Add(value);
        }
        return new CompositeValue(parameter.Parts, values.DrainToImmutable());
    }

    private static Outcome<SearchValue> Token(SearchParameter parameter, string modifier, string text)
    {
        if (modifier == "text")
        {
            return new TokenTextValue(SearchText.Unescape(text));
        }
        if (modifier == "of-type")
        {
            var parts = SearchText.Split(text, '|', 3);
            return parts.Count == 3 && parts.TrueForAll(p => p.Length > 0)
                ? new IdentifierOfTypeValue(SearchText.Unescape(parts[0]), SearchText.Unescape(parts[1]), SearchText.Unescape(parts[2]))
                : Bad(parameter, "system|code|value with :of-type");
        }
        return Code(text) is { } code ? WithoutImpliedSystem(parameter, code) : Bad(parameter, "a code, system|code, |code or system|");
    }

    /// <summary>Elements of type code carry no system: it is the one their value set names, https://hl7.org/fhir/R4/search.html#token.</summary>
    private static TokenValue WithoutImpliedSystem(SearchParameter parameter, TokenValue value)
    {
        if (value.System is not { Length: > 0 } system || parameter.Paths.IsEmpty)
        {
            return value;
        }
        foreach (var path in parameter.Paths)
        {
            if (path.Codes is not { } codes || !(value.Code is { } code ? codes.SystemOf(code) == system : codes.All.All(c => codes.SystemOf(c) == system)))
            {
                return value;
            }
        }
        return new("", value.Code);
    }

    private static TokenValue? Code(string text)
    {
        var parts = SearchText.Split(text, '|', 2);
        if (parts.Count == 1)
        {
            return new(null, SearchText.Unescape(text));
        }
        return parts is ["", ""] ? null : new(SearchText.Unescape(parts[0]), parts[1].Length == 0 ? null : SearchText.Unescape(parts[1]));
    }

    private Outcome<SearchValue> Reference(SearchParameter parameter, string modifier, string text)
    {
        if (modifier == "identifier")
        {
            return Code(text) is { } code ? new ReferenceIdentifierValue(code) : Bad(parameter, "system|value with :identifier");
        }
        text = ReferenceText.Normalize(SearchText.Unescape(text), baseUrl);
        if (modifier.Length > 0)
        {
            var key = FhirIds.IsValid(text) ? $"{modifier}/{text}" : text;
            return key.StartsWith(modifier + "/", StringComparison.Ordinal) && FhirIds.IsValid(key[(modifier.Length + 1)..])
                ? new ReferenceValue(key, null, baseUrl)
                : Bad(parameter, $"the id of a {modifier}");
        }
        if (FhirIds.IsValid(text))
        {
            return new ReferenceIdValue(text, parameter.OnlyTarget is { } only ? [only] : parameter.Targets, baseUrl);
        }
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        return bar > 0 ? new ReferenceValue(text[..bar], text[(bar + 1)..], baseUrl) : new ReferenceValue(text, null, baseUrl);
    }

    private Outcome<SearchValue> Date(SearchParameter parameter, string text)
    {
        var comparison = TakePrefix(ref text);
        var utf8 = Encoding.UTF8.GetBytes(text);
        if (!DateInterval.TryParse(utf8, out var value))
        {
            return Bad(parameter, "a date: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone, with or without a prefix");
        }
        if (comparison == Comparison.Ap)
        {
            // Suggested by R4: a tenth of the distance to now, on both sides.
            var now = clock.GetUtcNow().UtcTicks / TimeSpan.TicksPerMicrosecond;
            var reach = Math.Abs(now - ((value.Start / 2) + (value.End / 2))) / 10;
            value = new(Math.Max(DateInterval.Earliest, value.Start - reach), Math.Min(DateInterval.Latest, value.End + reach));
        }
        return new DateValue(comparison, value);
    }

    private static Outcome<NumberValue> Number(SearchParameter parameter, string text, string wanted)
    {
        var comparison = TakePrefix(ref text);
        return NumberInterval.TryParse(text, out var number, out var half) ? new NumberValue(comparison, number, half) : Bad(parameter, wanted);
    }

    private static Outcome<SearchValue> Widen(Outcome<NumberValue> number) => number.TryGet(out var value, out var failure) ? value : failure;

    private static Outcome<SearchValue> Quantity(SearchParameter parameter, string text)
    {
        const string Wanted = "a quantity: number, number|system|code or number||code, with or without a prefix";
        var parts = SearchText.Split(text, '|');
        if (parts.Count is not (1 or 3))
        {
            return Bad(parameter, Wanted);
        }
        if (!Number(parameter, parts[0], Wanted).TryGet(out var number, out var failure))
        {
            return failure;
        }
        return parts.Count == 1 ? new QuantityValue(number, null, null) : new QuantityValue(number, SearchText.Unescape(parts[1]), SearchText.Unescape(parts[2]));
    }

    private static Comparison TakePrefix(ref string text)
    {
        if (text.Length < 2)
        {
            return Comparison.Eq;
        }
        Comparison? comparison = text.AsSpan(0, 2) switch
        {
            "eq" => Comparison.Eq,
            "ne" => Comparison.Ne,
            "gt" => Comparison.Gt,
            "lt" => Comparison.Lt,
            "ge" => Comparison.Ge,
            "le" => Comparison.Le,
            "sa" => Comparison.Sa,
            "eb" => Comparison.Eb,
            "ap" => Comparison.Ap,
            _ => null,
        };
        if (comparison is not { } found)
        {
            return Comparison.Eq;
        }
        text = text[2..];
        return found;
    }

    private static FhirFailure Bad(SearchParameter parameter, string wanted) =>
        SearchFailures.BadValue(parameter.Name, wanted);
}
