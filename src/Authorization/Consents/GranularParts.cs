using System.Collections.Immutable;
using Authorization.Scopes;

namespace Authorization.Consents;

/// <summary>Parts of a type that can be granted instead of the whole: the categories of US Core, https://hl7.org/fhir/us/core/scopes.html.</summary>
internal static class GranularParts
{
    private const string Terminology = "http://terminology.hl7.org/CodeSystem/";
    private const string UsCore = "http://hl7.org/fhir/us/core/CodeSystem/";

    private static readonly ImmutableArray<(string Key, string Filter)> Conditions =
    [
        ("encounter-diagnosis", $"category={Terminology}condition-category|encounter-diagnosis"),
        ("problem-list-item", $"category={Terminology}condition-category|problem-list-item"),
        ("health-concern", $"category={UsCore}condition-category|health-concern"),
    ];

    private static readonly ImmutableArray<(string Key, string Filter)> Observations =
    [
        ("laboratory", $"category={Terminology}observation-category|laboratory"),
        ("vital-signs", $"category={Terminology}observation-category|vital-signs"),
        ("social-history", $"category={Terminology}observation-category|social-history"),
        ("survey", $"category={Terminology}observation-category|survey"),
        ("sdoh", $"category={UsCore}us-core-category|sdoh"),
    ];

    /// <summary>Key of the text that names the part, and the filter of its scope.</summary>
    public static ImmutableArray<(string Key, string Filter)> Of(SmartScope scope) => scope.Filter is not null ? [] : scope.Type switch
    {
        "Condition" => Conditions,
        "Observation" => Observations,
        _ => [],
    };
}
