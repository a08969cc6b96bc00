using System.Runtime.InteropServices;
using System.Text.Json;

namespace FhirStore.Json;

/// <summary>The bytes that are stored and served: compact JSON, elements and numbers as they came, id and meta set by the server.</summary>
public static class CanonicalJson
{
    /// <param name="resource">A resource that <see cref="ResourceParser"/> accepted, or one built by the server.</param>
    /// <param name="lastUpdated">Written in UTC, to the millisecond.</param>
    /// <param name="rewriteReference">Given each <c>Reference.reference</c> and uri that may need it (urn:uuid in a transaction); null keeps the value.</param>
    /// <returns><c>resourceType</c>, <c>id</c>, <c>meta</c> (versionId, lastUpdated, then what the client sent), then the rest in the order it came.</returns>
    public static byte[] Write(JsonElement resource, string id, long version, DateTimeOffset lastUpdated, Func<string, string?>? rewriteReference = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        var output = new ByteWriter(JsonMarshal.GetRawUtf8Value(resource).Length + 160);
        try
        {
            Write(ref output, resource, id, version, lastUpdated, rewriteReference);
            return output.ToArray();
        }
        finally
        {
            output.Free();
        }
    }

    private static void Write(
        ref ByteWriter output, JsonElement resource, string id, long version, DateTimeOffset lastUpdated, Func<string, string?>? rewriteReference)
    {
        JsonElement type = default, idShadow = default, meta = default;
        foreach (var property in resource.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            switch (name.Length)
            {
                case 12 when name.SequenceEqual("resourceType"u8):
                    type = property.Value;
                    break;
                case 3 when name.SequenceEqual("_id"u8):
                    idShadow = property.Value;
                    break;
                case 4 when name.SequenceEqual("meta"u8):
                    meta = property.Value;
                    break;
            }
        }
        output.Write("{\"resourceType\":"u8);
        output.Write(JsonMarshal.GetRawUtf8Value(type));
        output.Write(",\"id\":\""u8);
        output.WriteAscii(id);
        output.Write("\""u8);
        if (idShadow.ValueKind != JsonValueKind.Undefined)
        {
            output.Write(",\"_id\":"u8);
            CompactJson.Copy(ref output, JsonMarshal.GetRawUtf8Value(idShadow), rewriteReference);
        }
        WriteMeta(ref output, meta, version, lastUpdated, rewriteReference);
        foreach (var property in resource.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            if (!IsHead(name))
            {
                WriteProperty(ref output, name, property.Value, rewriteReference);
            }
        }
        output.Write("}"u8);
    }

    private static void WriteMeta(ref ByteWriter output, JsonElement meta, long version, DateTimeOffset lastUpdated, Func<string, string?>? rewriteReference)
    {
        output.Write(",\"meta\":{\"versionId\":\""u8);
        output.WriteNumber(version);
        output.Write("\",\"lastUpdated\":\""u8);
        output.WriteInstant(lastUpdated);
        output.Write("\""u8);
        if (meta.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in meta.EnumerateObject())
            {
                var name = JsonMarshal.GetRawUtf8PropertyName(property);
                if (!IsServersOwn(name))
                {
                    WriteProperty(ref output, name, property.Value, rewriteReference);
                }
            }
        }
        output.Write("}"u8);
    }

    private static void WriteProperty(ref ByteWriter output, ReadOnlySpan<byte> name, JsonElement value, Func<string, string?>? rewriteReference)
    {
        output.Write(",\""u8);
        output.Write(name);
        output.Write("\":"u8);
        CompactJson.Copy(ref output, JsonMarshal.GetRawUtf8Value(value), rewriteReference);
    }

    private static bool IsHead(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("resourceType"u8) || name.SequenceEqual("id"u8) || name.SequenceEqual("_id"u8) || name.SequenceEqual("meta"u8);

    /// <summary>An extension on a version or time that the server replaces would speak about a value that is gone.</summary>
    private static bool IsServersOwn(ReadOnlySpan<byte> name)
    {
        var bare = name is [(byte)'_', .. var rest] ? rest : name;
        return bare.SequenceEqual("versionId"u8) || bare.SequenceEqual("lastUpdated"u8);
    }
}
