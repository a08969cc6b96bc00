using System.Text.Json;
using System.Text.Json.Nodes;

namespace SchedulingOperations.Views;

/// <summary>Extensions of a resource, read and edited by url.</summary>
internal static class Extensions
{
    public static JsonElement? Find(JsonElement element, string url)
    {
        if (element.TryGetProperty("extension"u8, out var extensions) && extensions.ValueKind == JsonValueKind.Array)
        {
            foreach (var extension in extensions.EnumerateArray())
            {
                if (extension.TryGetProperty("url"u8, out var found) && found.ValueEquals(url))
                {
                    return extension;
                }
            }
        }
        return null;
    }

    public static void Set(JsonObject resource, string url, string valueName, JsonNode value)
    {
        Remove(resource, url);
        if (resource["extension"] is not JsonArray extensions)
        {
            resource["extension"] = extensions = [];
        }
        extensions.Add((JsonNode)new JsonObject { ["url"] = url, [valueName] = value });
    }

    public static void Remove(JsonObject resource, string url)
    {
        if (resource["extension"] is not JsonArray extensions)
        {
            return;
        }
        for (var i = extensions.Count - 1; i >= 0; i--)
        {
            if (extensions[i] is JsonObject extension && extension["url"] is JsonValue found && found.TryGetValue<string>(out var text) && text == url)
            {
                extensions.RemoveAt(i);
            }
        }
        if (extensions.Count == 0)
        {
            resource.Remove("extension");
        }
    }
}
