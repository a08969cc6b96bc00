using FhirCore;

namespace FhirStore.Json;

/// <summary>Strict JSON and R4's structure in one pass; every problem found is reported, with its FHIRPath expression.</summary>
public static class ResourceParser
{
    /// <param name="utf8">The body as it came.</param>
    /// <param name="expectedType">The type the URL names; another type in the body is an error. Null takes any.</param>
    public static Outcome<ParsedResource> Parse(ReadOnlyMemory<byte> utf8, string? expectedType) => throw new NotImplementedException();
}
