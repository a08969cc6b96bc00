using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using FhirCore;

namespace FhirStore.Indexing;

/// <summary>The forms of <c>Reference.reference</c>, https://hl7.org/fhir/R4/references.html#literal.</summary>
internal static class ReferenceText
{
    private const string History = "/_history/";

    /// <returns>The text of a reference, canonical or uri element; null where it has none.</returns>
    public static string? Of(JsonElement element, ElementShape shape)
    {
        switch (shape)
        {
            case ElementShape.Reference:
                return element.ValueKind == JsonValueKind.Object && element.TryGetProperty("reference"u8, out var text) && text.ValueKind == JsonValueKind.String
                    ? text.GetString()
                    : null;
            case ElementShape.Resource:
                return element.ValueKind == JsonValueKind.Object && element.TryGetProperty("resourceType"u8, out var type) && element.TryGetProperty("id"u8, out var id)
                    && type.ValueKind == JsonValueKind.String && id.ValueKind == JsonValueKind.String
                    ? $"{type.GetString()}/{id.GetString()}"
                    : null;
            default:
                return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
    }

    /// <summary>The text without the version it may name.</summary>
    public static string WithoutVersion(string text)
    {
        var history = text.IndexOf(History, StringComparison.Ordinal);
        return history > 0 ? text[..history] : text;
    }

    /// <summary>The text as it is indexed and compared: without version, and relative where it lies below <paramref name="baseUrl"/>.</summary>
    public static string Normalize(string text, string? baseUrl)
    {
        text = WithoutVersion(text);
        return baseUrl is not null && text.StartsWith(baseUrl, StringComparison.Ordinal) ? text[baseUrl.Length..] : text;
    }

    /// <summary>The canonical url without <c>|version</c>.</summary>
    public static string WithoutCanonicalVersion(string text)
    {
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        return bar > 0 ? text[..bar] : text;
    }

    /// <summary>The resource on this server that a text names, relative or below <paramref name="baseUrl"/>.</summary>
    /// <param name="baseUrl">Ends with a slash; null takes relative references only.</param>
    public static bool TryLocal([NotNullWhen(true)] string? text, string? baseUrl, out ResourceKey key)
    {
        key = default;
        if (text is null)
        {
            return false;
        }
        if (baseUrl is not null && text.StartsWith(baseUrl, StringComparison.Ordinal))
        {
            text = text[baseUrl.Length..];
        }
        return ResourceKey.TryParse(WithoutVersion(text), out key);
    }

    /// <summary>The resource type a Reference names: by its text, relative or absolute, else by <c>Reference.type</c>.</summary>
    public static string? TypeOf(JsonElement reference)
    {
        if (reference.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        if (Of(reference, ElementShape.Reference) is { } text)
        {
            var path = WithoutVersion(text);
            var id = path.LastIndexOf('/');
            if (id > 0 && FhirIds.IsValid(path[(id + 1)..]))
            {
                var type = path.AsSpan(path.LastIndexOf('/', id - 1) + 1, id - path.LastIndexOf('/', id - 1) - 1);
                if (type.Length > 1 && char.IsAsciiLetterUpper(type[0]) && IsWord(type))
                {
                    return type.ToString();
                }
            }
        }
        return reference.TryGetProperty("type"u8, out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
    }

    private static bool IsWord(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetter(c))
            {
                return false;
            }
        }
        return true;
    }
}
