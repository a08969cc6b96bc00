using System.Text.Json;
using FhirCore;
using FhirStore;
using Hl7.Fhir.Model;
using Hl7.Fhir.Serialization;

namespace Subscriptions.Topics;

/// <summary>One change of one resource, opened: what triggers and filters look at. Parsed for each of them once.</summary>
public sealed class ResourceChange : IDisposable
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };
    private static readonly FhirJsonDeserializer Models = new(new DeserializerSettings().UsingMode(DeserializationMode.Ostrich));

    private readonly JsonDocument? _current;
    private readonly JsonDocument? _previous;
    private readonly StoredResource? _now;
    private readonly StoredResource? _before;

    /// <param name="now">Null for a deletion.</param>
    /// <param name="before">Null for a creation, and where nobody asked for it.</param>
    public ResourceChange(ResourceKey key, StoredResource? now, StoredResource? before)
    {
        Key = key;
        _now = now is { Deleted: false } ? now : null;
        _before = before is { Deleted: false } ? before : null;
        _current = _now is null ? null : JsonDocument.Parse(_now.Json, Depth);
        _previous = _before is null ? null : JsonDocument.Parse(_before.Json, Depth);
    }

    public ResourceKey Key { get; }

    public required ResourceInteraction Interaction { get; init; }

    /// <summary>Null for a deletion.</summary>
    public JsonElement? Current => _current?.RootElement;

    /// <summary>Null for a creation, and where nobody asked for it.</summary>
    public JsonElement? Previous => _previous?.RootElement;

    /// <summary>What filters and access are decided on: the content now; of a deletion the content before it. Null where nothing is left.</summary>
    public JsonElement? Content => Current ?? Previous;

    /// <summary>Bytes of <see cref="Content"/>; empty where nothing is left.</summary>
    public ReadOnlyMemory<byte> Bytes => (_now ?? _before)?.Json ?? default;

    internal PocoNode? CurrentModel => field ??= ModelOf(_now);

    internal PocoNode? PreviousModel => field ??= ModelOf(_before);

    public void Dispose()
    {
        _current?.Dispose();
        _previous?.Dispose();
    }

    private static PocoNode? ModelOf(StoredResource? resource)
    {
        if (resource is null)
        {
            return null;
        }
        var reader = new Utf8JsonReader(resource.Json.Span, new() { MaxDepth = 1_000 });
        return Models.DeserializeResource(ref reader).ToPocoNode();
    }
}

/// <summary>A trigger's expression cannot be evaluated on a resource. It counts as not fulfilled.</summary>
public sealed class TriggerFaultException(string message, Exception? inner = null) : Exception(message, inner);
