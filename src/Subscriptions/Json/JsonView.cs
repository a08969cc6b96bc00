using System.Text.Json;

namespace Subscriptions.Json;

/// <summary>Looks into resources as they are stored, without a model: what is not there is null.</summary>
internal static class JsonView
{
    public static JsonElement? Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public static bool? Flag(this JsonElement element, string name) => element.Member(name)?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    public static long? Number(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : null;

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    /// <summary>Extensions of the element; of a primitive, ask its shadow (<c>_criteria</c>).</summary>
    public static IEnumerable<JsonElement> Extensions(this JsonElement? element) => element is { } there ? there.Items("extension") : [];

    public static IEnumerable<JsonElement> Extensions(this JsonElement? element, string url) => element.Extensions().Where(extension => extension.Text("url") == url);

    /// <summary>The one property of an extension that begins with <c>value</c>.</summary>
    public static JsonElement? ValueOf(this JsonElement extension)
    {
        foreach (var property in extension.EnumerateObject())
        {
            if (property.Name.StartsWith("value", StringComparison.Ordinal) && property.Value.ValueKind != JsonValueKind.Null)
            {
                return property.Value;
            }
        }
        return null;
    }

    /// <returns>The value as text, where it is one.</returns>
    public static string? ValueText(this JsonElement extension) => extension.ValueOf() is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
