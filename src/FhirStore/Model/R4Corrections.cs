using Hl7.Fhir.Model;

namespace FhirStore.Model;

/// <summary>Where the SDK's classes, which serve several releases, say something else than R4's definitions.</summary>
internal static class R4Corrections
{
    /// <summary>Elements that R4 makes mandatory, as <c>Type.element</c>.</summary>
    public static readonly HashSet<string> Mandatory = new(StringComparer.Ordinal) { "Signature.type", "Signature.when", "Signature.who" };

    /// <summary>Bound to http://hl7.org/fhir/ValueSet/resource-types, but a plain code in the SDK.</summary>
    public const string ResourceTypeElement = "CapabilityStatement.rest.resource.type";

    /// <summary>All codes that R4 has of enumerations to which later releases added.</summary>
    public static readonly Dictionary<Type, string> Codes = new()
    {
        [typeof(Quantity.QuantityComparator)] = "< <= >= >",
        [typeof(Bundle.BundleType)] = "document message transaction transaction-response batch batch-response history searchset collection",
        [typeof(FHIRVersion)] =
            "0.01 0.05 0.06 0.11 0.0.80 0.0.81 0.0.82 0.4.0 0.5.0 1.0.0 1.0.1 1.0.2 1.1.0 1.4.0 1.6.0 1.8.0 3.0.0 3.0.1 3.3.0 3.5.0 4.0.0 4.0.1",
        [typeof(FilterOperator)] = "= is-a descendent-of is-not-a regex in not-in generalizes exists",
        [typeof(ElementDefinition.DiscriminatorType)] = "value exists pattern type profile",
        [typeof(OperationOutcome.IssueSeverity)] = "fatal error warning information",
        [typeof(OperationOutcome.IssueType)] =
            "invalid structure required value invariant security login unknown expired forbidden suppressed processing not-supported " +
            "duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict transient " +
            "lock-error no-store exception timeout incomplete throttled informational",
        [typeof(RelatedArtifact.RelatedArtifactType)] =
            "documentation justification citation predecessor successor derived-from depends-on composed-of",
    };
}
