using System.Text.Json;
using FhirCore;

namespace SchedulingOperations.Views;

/// <summary>Reads references to resources of this server.</summary>
public static class References
{
    public static string? Text(JsonElement reference) =>
        reference.ValueKind == JsonValueKind.Object && reference.TryGetProperty("reference"u8, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    /// <summary>Takes <c>Type/id</c>, with or without a version, and the same below <paramref name="baseUrl"/>.</summary>
    /// <returns><see langword="false"/> where it points at another server or at nothing with an id.</returns>
    public static bool TryParse(string? reference, string? baseUrl, out ResourceKey key)
    {
        key = default;
        if (string.IsNullOrEmpty(reference))
        {
            return false;
        }
        if (ResourceKey.TryParse(reference, out key))
        {
            return true;
        }
        var rest = reference.AsSpan();
        if (!string.IsNullOrEmpty(baseUrl) && rest.StartsWith(baseUrl, StringComparison.Ordinal))
        {
            rest = rest[baseUrl.Length..].TrimStart('/');
        }
        var history = rest.IndexOf("/_history/", StringComparison.Ordinal);
        return ResourceKey.TryParse((history > 0 ? rest[..history] : rest).ToString(), out key);
    }
}
