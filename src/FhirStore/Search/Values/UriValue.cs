using System.Text.Json;
using FhirStore.Indexing;

namespace FhirStore.Search.Values;

internal enum UriMode
{
    Exact,
    /// <summary>The element lies at or below the value.</summary>
    Below,
    /// <summary>The element lies at or above the value.</summary>
    Above,
}

/// <summary>https://hl7.org/fhir/R4/search.html#uri: the whole uri, case and all; above and below by path segments.</summary>
internal sealed class UriValue(string uri, UriMode mode) : SearchValue
{
    public override bool Matches(JsonElement element, ElementShape shape) => element.ValueKind == JsonValueKind.String && (mode switch
    {
        UriMode.Below => IsUnder(element.GetString()!, uri),
        UriMode.Above => IsUnder(uri, element.GetString()!),
        _ => element.ValueEquals(uri),
    });

    public override Cover Cover(ParameterIndex index) => mode == UriMode.Exact && index is UriIndex uris ? uris.Find(uri) : Indexing.Cover.Unknown;

    private static bool IsUnder(string longer, string shorter)
    {
        var parent = shorter.TrimEnd('/');
        return longer == shorter || (longer.Length > parent.Length && longer.StartsWith(parent, StringComparison.Ordinal) && longer[parent.Length] == '/');
    }
}
