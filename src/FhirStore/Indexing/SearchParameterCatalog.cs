using System.Collections.Concurrent;
using System.Collections.Immutable;
using FhirStore.Model;
using Hl7.Fhir.Model;

namespace FhirStore.Indexing;

/// <summary>R4's search parameters, compiled for a resource type when it is first asked for.</summary>
internal static class SearchParameterCatalog
{
    private const string PresenceOperator = ".exists() and ";

    private static readonly Lazy<ILookup<string, ModelInfoParameter>> Definitions = new(() => ModelInfo.SearchParameters
        .Where(p => p.Resource is not null && p.Name is not null)
        .ToLookup(p => p.Resource!, p => new ModelInfoParameter(p.Name!, KindOf(p.Type), p.Expression, p.Url ?? "", p.Description?.ToString(),
            [.. p.Target?.Select(t => t.ToString()) ?? []], [.. p.Component?.Select(c => (c.Definition ?? "", c.Expression ?? "")) ?? []])));

    private static readonly Lazy<Dictionary<string, SearchKind>> KindByUrl = new(() =>
        Definitions.Value.SelectMany(g => g).GroupBy(p => p.Url, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First().Kind, StringComparer.Ordinal));

    /// <summary>Parameters of every type, https://hl7.org/fhir/R4/resource.html#search.</summary>
    private static readonly ModelInfoParameter[] Common =
    [
        new("_id", SearchKind.Token, "Resource.id", "http://hl7.org/fhir/SearchParameter/Resource-id", "Logical id of this artifact", [], []),
        new("_lastUpdated", SearchKind.Date, "Resource.meta.lastUpdated", "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated", "When the resource version last changed", [], []),
        new("_profile", SearchKind.Uri, "Resource.meta.profile", "http://hl7.org/fhir/SearchParameter/Resource-profile", "Profiles this resource claims to conform to", [], []),
        new("_security", SearchKind.Token, "Resource.meta.security", "http://hl7.org/fhir/SearchParameter/Resource-security", "Security Labels applied to this resource", [], []),
        new("_source", SearchKind.Uri, "Resource.meta.source", "http://hl7.org/fhir/SearchParameter/Resource-source", "Identifies where the resource comes from", [], []),
        new("_tag", SearchKind.Token, "Resource.meta.tag", "http://hl7.org/fhir/SearchParameter/Resource-tag", "Tags applied to this resource", [], []),
    ];

    /// <summary>
    /// Expressions that R4 wrote narrower than the elements its own parameter is for: a risk assessment's period is a date as that
    /// of a procedure is, and the text of a concept is part of value-string, also within the composite.
    /// </summary>
    private static readonly Dictionary<(string Type, string Name, string Written), string> Widened = new()
    {
        [("RiskAssessment", "date", "(RiskAssessment.occurrence as dateTime)")] = "RiskAssessment.occurrence",
        [("Observation", "code-value-string", "value.as(string)")] = "value.as(string) | value.as(CodeableConcept).text",
    };

    private static readonly SearchKind[] PartKinds = [SearchKind.Token, SearchKind.Reference, SearchKind.Quantity, SearchKind.Date, SearchKind.Number, SearchKind.String, SearchKind.Uri];

    private static readonly ConcurrentDictionary<string, TypeParameters> ByType = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">R4 has no such resource type.</exception>
    public static TypeParameters For(string resourceType) => ByType.TryGetValue(resourceType, out var known) ? known : ByType.GetOrAdd(resourceType, Compile);

    private static TypeParameters Compile(string resourceType)
    {
        var type = R4Model.IsResourceType(resourceType) ? R4Model.Find(resourceType)! : throw new ArgumentException($"R4 has no resource type {resourceType}.", nameof(resourceType));
        var byName = new Dictionary<string, SearchParameter>(StringComparer.Ordinal);
        foreach (var definition in Common.Concat(Definitions.Value[resourceType]))
        {
            byName.TryAdd(definition.Name, Compile(type, definition));
        }
        return new(resourceType, byName);
    }

    private static SearchParameter Compile(TypeModel type, ModelInfoParameter definition)
    {
        var expression = definition.Expression ?? "";
        foreach (var ((_, _, written), wider) in Widened.Where(w => w.Key.Type == type.Name && w.Key.Name == definition.Name))
        {
            expression = expression.Replace(written, wider, StringComparison.Ordinal);
        }
        var presence = expression.IndexOf(PresenceOperator, StringComparison.Ordinal);
        var paths = definition.Kind == SearchKind.Special || expression.Length == 0 ? [] : PathCompiler.Compile(type, presence > 0 ? expression[..presence] : expression);
        return new()
        {
            ResourceType = type.Name,
            Name = definition.Name,
            Kind = definition.Kind,
            Url = definition.Url,
            Documentation = definition.Documentation,
            Targets = [.. definition.Targets],
            IsPresenceFlag = presence > 0,
            Paths = [.. paths.Where(p => presence > 0 || p.Shape.Serves(definition.Kind))],
            Parts = definition.Kind == SearchKind.Composite ? Parts(type, paths, definition) : [],
        };
    }

    private static ImmutableArray<CompositePart> Parts(TypeModel type, ImmutableArray<ElementPath> roots, ModelInfoParameter definition)
    {
        const string FromResource = "%resource.";
        var parts = ImmutableArray.CreateBuilder<CompositePart>();
        foreach (var (url, expression) in definition.Components)
        {
            var kind = KindByUrl.Value[url];
            var ofResource = expression.StartsWith(FromResource, StringComparison.Ordinal);
            var element = ofResource ? type : R4Model.Find(roots[0].TypeName) ?? Element(type, roots[0]);
            var paths = PathCompiler.CompileRelative(element, ofResource ? expression[FromResource.Length..] : Widened.GetValueOrDefault((type.Name, definition.Name, expression), expression));
            if (!paths.Any(p => p.Shape.Serves(kind)))
            {
                // DocumentReference-relationship names the definitions of its two parts the wrong way round: the element decides.
                kind = PartKinds.First(k => paths.Any(p => p.Shape.Serves(k)));
            }
            parts.Add(new(kind, [.. paths.Where(p => p.Shape.Serves(kind))], ofResource));
        }
        return parts.ToImmutable();
    }

    // The parts of a composite over several elements (Observation and Observation.component) have the same names in each.
    private static TypeModel Element(TypeModel type, ElementPath path) =>
        path.Steps.Aggregate(type, (t, step) => t.Element(step.Name)?.Type ?? throw new FormatException($"{t.Name} has no element '{step.Name}'."));

    private static SearchKind KindOf(SearchParamType type) => type switch
    {
        SearchParamType.Number => SearchKind.Number,
        SearchParamType.Date => SearchKind.Date,
        SearchParamType.String => SearchKind.String,
        SearchParamType.Token => SearchKind.Token,
        SearchParamType.Reference => SearchKind.Reference,
        SearchParamType.Composite => SearchKind.Composite,
        SearchParamType.Quantity => SearchKind.Quantity,
        SearchParamType.Uri => SearchKind.Uri,
        _ => SearchKind.Special,
    };

    private sealed record ModelInfoParameter(
        string Name, SearchKind Kind, string? Expression, string Url, string? Documentation, IReadOnlyList<string> Targets, IReadOnlyList<(string Url, string Expression)> Components);
}

/// <summary>The search parameters of one resource type.</summary>
internal sealed class TypeParameters(string resourceType, IReadOnlyDictionary<string, SearchParameter> byName)
{
    public string ResourceType { get; } = resourceType;

    /// <summary>In the order of their names.</summary>
    public ImmutableArray<SearchParameter> All { get; } = [.. byName.Values.OrderBy(p => p.Name, StringComparer.Ordinal)];

    public SearchParameter? Find(string name) => byName.GetValueOrDefault(name);
}
