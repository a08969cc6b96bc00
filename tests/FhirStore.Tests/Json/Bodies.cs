using System.Text;
using FhirCore;
using FhirStore.Json;

namespace FhirStore.Tests.Json;

internal static class Bodies
{
    public static Outcome<ParsedResource> Parse(string json, string? expectedType = null) => ResourceParser.Parse(Encoding.UTF8.GetBytes(json), expectedType);

    /// <summary>The issues as <c>code expression</c>, in the order found.</summary>
    public static string[] Issues(string json, string? expectedType = null) =>
        Parse(json, expectedType).Failure is { } failure ? [.. failure.Issues.Select(i => $"{i.Code} {i.Expression}".TrimEnd())] : [];
}
