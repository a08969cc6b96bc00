using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FhirServer.Http;

/// <summary>Builds a JSON body of our own making; stored resources are spliced in as the bytes they are.</summary>
internal sealed class JsonBuffer
{
    private static readonly JsonWriterOptions Options = new()
    {
        SkipValidation = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 1000,
    };

    private readonly ArrayBufferWriter<byte> _bytes;

    public JsonBuffer(int expectedBytes = 1024)
    {
        _bytes = new(expectedBytes);
        Json = new(_bytes, Options);
    }

    public Utf8JsonWriter Json { get; }

    /// <param name="resource">Canonical JSON, known to be well formed.</param>
    public void Splice(string name, ReadOnlyMemory<byte> resource)
    {
        Json.WritePropertyName(name);
        Json.WriteRawValue(resource.Span, skipInputValidation: true);
    }

    public ReadOnlyMemory<byte> ToBody()
    {
        Json.Flush();
        return _bytes.WrittenMemory;
    }

    /// <summary>The same JSON, indented: <c>_pretty=true</c>.</summary>
    public static ReadOnlyMemory<byte> Prettify(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new() { MaxDepth = 1000 });
        var bytes = new ArrayBufferWriter<byte>(json.Length * 2);
        using (var writer = new Utf8JsonWriter(bytes, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1000 }))
        {
            document.RootElement.WriteTo(writer);
        }
        return bytes.WrittenMemory;
    }
}
