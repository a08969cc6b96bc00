using System.Text.Json;
using FhirServer.Http;

namespace FhirServer.Interactions;

/// <summary>The parts that Bundles of every kind share.</summary>
internal static class BundleWriting
{
    public static void WriteLink(Utf8JsonWriter json, string relation, string url)
    {
        json.WriteStartObject();
        json.WriteString("relation", relation);
        json.WriteString("url", url);
        json.WriteEndObject();
    }

    /// <summary>etag and lastModified of a response.</summary>
    public static void WriteVersion(Utf8JsonWriter json, long? version, DateTimeOffset? lastModified)
    {
        if (version is { } number)
        {
            json.WriteString("etag", ETags.Of(number));
        }
        if (lastModified is { } instant)
        {
            json.WriteString("lastModified", instant.UtcDateTime);
        }
    }
}
