using System.Text.Json;

namespace FhirStore.Json;

/// <summary>The bytes that are stored and served: compact JSON, elements and numbers as they came, id and meta set by the server.</summary>
public static class CanonicalJson
{
    /// <param name="rewriteReference">Given each <c>Reference.reference</c> and uri that may need it (urn:uuid in a transaction); null keeps the value.</param>
    /// <returns><c>resourceType</c>, <c>id</c>, <c>meta</c> (versionId, lastUpdated, then what the client sent), then the rest in the order it came.</returns>
    public static byte[] Write(JsonElement resource, string id, long version, DateTimeOffset lastUpdated, Func<string, string?>? rewriteReference = null) =>
        throw new NotImplementedException();
}
