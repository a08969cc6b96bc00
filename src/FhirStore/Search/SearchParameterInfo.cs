using System.Collections.Immutable;
using FhirStore.Indexing;
using FhirStore.Model;

namespace FhirStore.Search;

/// <summary>A search parameter as a CapabilityStatement lists it.</summary>
/// <param name="Definition">Canonical url.</param>
public sealed record SearchParameterInfo(string Name, SearchKind Kind, string Definition, string? Documentation)
{
    /// <summary>Resource types that a reference parameter leads to.</summary>
    /// <returns>Empty where the type has no such reference parameter.</returns>
    public static ImmutableArray<string> TargetsOf(string resourceType, string name) =>
        SearchParameterCatalog.For(resourceType).Find(name) is { Kind: SearchKind.Reference } parameter ? parameter.Targets : [];

    /// <summary>What can be searched by on a resource type, in the order of names.</summary>
    public static ImmutableArray<SearchParameterInfo> Of(string resourceType) =>
        [.. SearchParameterCatalog.For(resourceType).All.Where(IsSearchable).Select(p => new SearchParameterInfo(p.Name, p.Kind, p.Url, p.Documentation))];

    /// <summary>Values of <c>_include</c> that start from a resource type.</summary>
    public static ImmutableArray<string> IncludesOf(string resourceType) =>
        [.. SearchParameterCatalog.For(resourceType).All.Where(p => p.Kind == SearchKind.Reference && IsSearchable(p)).Select(p => $"{resourceType}:{p.Name}")];

    /// <summary>Values of <c>_revinclude</c> that lead to a resource type.</summary>
    public static ImmutableArray<string> RevIncludesOf(string resourceType) => ByTarget.Value[resourceType].ToImmutableArray();

    private static readonly Lazy<ILookup<string, string>> ByTarget = new(() => R4Model.ResourceTypes
        .SelectMany(t => SearchParameterCatalog.For(t).All)
        .Where(p => p.Kind == SearchKind.Reference && IsSearchable(p))
        .SelectMany(p => p.Targets.Select(t => (Target: t, Value: $"{p.ResourceType}:{p.Name}")))
        .ToLookup(p => p.Target, p => p.Value, StringComparer.Ordinal));

    private static bool IsSearchable(SearchParameter parameter) => parameter.Kind != SearchKind.Special && !parameter.Paths.IsEmpty;
}
