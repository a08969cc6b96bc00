using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace FhirStore.Indexing;

/// <summary>Strings of JSON as UTF-8 without a copy where they hold no escapes.</summary>
internal static class JsonText
{
    /// <param name="element">A string.</param>
    public static ReadOnlySpan<byte> Utf8(JsonElement element)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element)[1..^1];
        return raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(element.GetString()!) : raw;
    }

    /// <returns>The string property; null where there is none.</returns>
    public static string? String(JsonElement element, ReadOnlySpan<byte> name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
