using System.Globalization;
using System.Text.Json;
using FhirCore;

namespace Forecasting.Series;

/// <summary>Reads resources where they lie.</summary>
internal static class Elements
{
    public static JsonElement? Of(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) ? value : null;

    public static string? Text(this JsonElement parent, string name) => parent.Of(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public static IEnumerable<JsonElement> Items(this JsonElement parent, string name) =>
        parent.Of(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    public static JsonElement? Extension(this JsonElement parent, string url)
    {
        foreach (var extension in parent.Items("extension"))
        {
            if (extension.Text("url") == url)
            {
                return extension;
            }
        }
        return null;
    }

    /// <summary>The resource of this server that a Reference names, with or without a version.</summary>
    /// <param name="baseUrl">Ends without a slash.</param>
    public static ResourceKey? Target(this JsonElement reference, string baseUrl)
    {
        if (reference.Text("reference") is not { } text)
        {
            return null;
        }
        if (text.StartsWith(baseUrl, StringComparison.Ordinal) && text.Length > baseUrl.Length && text[baseUrl.Length] == '/')
        {
            text = text[(baseUrl.Length + 1)..];
        }
        var history = text.IndexOf("/_history/", StringComparison.Ordinal);
        return ResourceKey.TryParse(history > 0 ? text[..history] : text, out var key) ? key : null;
    }

    /// <summary>An instant or a dateTime with its offset; a leap second is the second before it. Null for less than that.</summary>
    public static DateTimeOffset? Instant(this JsonElement parent, string name) => ParseInstant(parent.Text(name));

    public static DateTimeOffset? ParseInstant(string? text)
    {
        if (text is not { Length: >= 20 } || !(text[^1] == 'Z' || text[^6] is '+' or '-'))
        {
            return null;
        }
        var (seconds, zone) = (text[17..19] == "60" ? "59" : text[17..19], text[^1] == 'Z' ? "Z" : text[^6..]);
        return DateTimeOffset.TryParseExact($"{text[..17]}{seconds}{zone}", "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.None, out var instant) ? instant : null;
    }

    /// <summary>All codes of a list of CodeableConcepts: <c>system|code</c>.</summary>
    public static IEnumerable<string> Codes(this JsonElement parent, string name) =>
        from concept in parent.Items(name) from coding in concept.Items("coding") where coding.Text("code") is not null select $"{coding.Text("system")}|{coding.Text("code")}";
}
