using System.Runtime.InteropServices;
using System.Text.Json;

namespace FhirStore.Json;

/// <summary>The contained resources of one resource by id, looked up only when something points at one.</summary>
internal sealed class ContainedIndex(JsonElement container)
{
    private Dictionary<string, string>? _typeById;

    /// <returns>The type of the contained resource; empty where it says none; null where there is no such contained resource.</returns>
    public string? TypeOf(string id) => (_typeById ??= Build()).GetValueOrDefault(id);

    private Dictionary<string, string> Build()
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        if (container.TryGetProperty("contained"u8, out var contained) && contained.ValueKind == JsonValueKind.Array)
        {
            foreach (var resource in contained.EnumerateArray())
            {
                if (resource.ValueKind == JsonValueKind.Object && Text(resource, "id"u8) is { } id)
                {
                    found[id] = Text(resource, "resourceType"u8) ?? "";
                }
            }
        }
        return found;
    }

    private static string? Text(JsonElement resource, ReadOnlySpan<byte> name) =>
        resource.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? JsonText.ToStringOrNull(JsonMarshal.GetRawUtf8Value(value)[1..^1])
            : null;
}
