namespace FhirStore.Indexing;

/// <summary>Types of search parameters, https://hl7.org/fhir/R4/search.html#ptypes.</summary>
public enum SearchKind
{
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}
