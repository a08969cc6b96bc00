namespace FhirStore.Indexing;

/// <summary>The prefixes of ordered parameters, https://hl7.org/fhir/R4/search.html#prefix.</summary>
internal enum Comparison
{
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}
