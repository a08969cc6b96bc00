using System.Collections.Concurrent;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Search;

namespace FhirStore.Indexing;

/// <summary>Computes the index entries of a resource: keyed tokens for personal parameters, clear values for operational ones.</summary>
public sealed class ResourceIndexer(IndexTokens tokens, OperationalFields operational, SearchOptions options)
{
    private readonly string? _baseUrl = options.BaseUrl;
    private readonly ConcurrentDictionary<string, TypeIndex> _byType = new(StringComparer.Ordinal);

    public IndexEntries Index(ResourceKey key, DateTimeOffset lastUpdated, JsonElement resource)
    {
        var entries = new IndexEntries.Builder();
        Span<byte> updated = stackalloc byte[SortableTime.Length];
        SortableTime.Write(lastUpdated, updated);
        entries.Add(IndexField.LastUpdated, updated);
        foreach (var (parameter, index) in For(key.Type).Own)
        {
            var visitor = new EntryVisitor(index, entries);
            parameter.Visit(resource, ref visitor);
        }
        switch (key.Type)
        {
            case "Slot":
                OperationalEntries.AddSlot(resource, operational, _baseUrl, entries);
                break;
            case "Appointment":
                OperationalEntries.AddAppointment(resource, operational, _baseUrl, entries);
                break;
        }
        return entries.Build();
    }

    /// <summary>The patient whose data this is: the resource itself, or the one patient its compartment parameters name; null otherwise.</summary>
    public string? SubjectOf(ResourceKey key, JsonElement resource)
    {
        if (key.Type == "Patient")
        {
            return key.Id;
        }
        var visitor = new SubjectVisitor(_baseUrl);
        var parameters = SearchParameterCatalog.For(key.Type);
        foreach (var name in PatientCompartment.ParametersOf(key.Type))
        {
            if (parameters.Find(name) is { } parameter && parameter.Visit(resource, ref visitor))
            {
                return null;
            }
        }
        return visitor.Patient;
    }

    internal TypeIndex For(string resourceType) =>
        _byType.TryGetValue(resourceType, out var known)
            ? known
            : _byType.GetOrAdd(resourceType, static (type, self) => new TypeIndex(SearchParameterCatalog.For(type), self.tokens, self.operational, self._baseUrl), (tokens, operational, _baseUrl));

    private readonly struct EntryVisitor(ParameterIndex index, IndexEntries.Builder entries) : IElementVisitor
    {
        public bool Visit(JsonElement element, ElementShape shape)
        {
            index.Add(element, shape, entries);
            return false;
        }
    }

    private struct SubjectVisitor(string? baseUrl) : IElementVisitor
    {
        public string? Patient { get; private set; }

        /// <returns>True at a second patient: the resource is nobody's alone.</returns>
        public bool Visit(JsonElement element, ElementShape shape)
        {
            if (!ReferenceText.TryLocal(ReferenceText.Of(element, shape), baseUrl, out var key) || key.Type != "Patient" || key.Id == Patient)
            {
                return false;
            }
            if (Patient is not null)
            {
                return true;
            }
            Patient = key.Id;
            return false;
        }
    }
}
