using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>
/// A 16-byte token of what each reference names, without version: <c>Type/id</c>, or the url as it stands. Logical references
/// are kept beside, as those of identifiers are.
/// </summary>
internal sealed class ReferenceIndex(string type, string name, IndexTokens tokens, string? baseUrl) : ParameterIndex
{
    private const int Length = 16;
    private readonly IndexField _field = IndexField.Of($"{type}.{name}");
    private readonly IndexTokenKey _key = tokens.KeyFor($"{type}/{name}/reference");
    private readonly TokenIndex _identifier = new(type, name + ":identifier", tokens);

    public ICodeIndex Identifier => _identifier;

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (ReferenceText.Of(element, shape) is { Length: > 0 } text)
        {
            Span<byte> value = stackalloc byte[Length];
            _key.Token(shape == ElementShape.Canonical ? ReferenceText.WithoutCanonicalVersion(text) : ReferenceText.Normalize(text, baseUrl), value);
            entries.Add(_field, value);
        }
        if (shape == ElementShape.Reference && element.ValueKind == JsonValueKind.Object && element.TryGetProperty("identifier"u8, out var identifier))
        {
            _identifier.Add(identifier, ElementShape.Identifier, entries);
        }
    }

    /// <param name="text">As the reference stands, without version.</param>
    public Predicate Find(string text)
    {
        var value = new byte[Length];
        _key.Token(text, value);
        return new Predicate.EqualTo(_field, value);
    }
}

/// <summary>Slot.schedule, found by the entries that scheduling keeps: schedule, then start.</summary>
internal sealed class SlotScheduleIndex(OperationalFields operational) : ParameterIndex
{
    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        // OperationalEntries writes them.
    }

    public Predicate Find(string text)
    {
        var from = new byte[16 + SortableTime.Length];
        operational.ReferenceToken(text).CopyTo(from, 0);
        return TokenIndex.ByPrefix(OperationalFields.SlotScheduleStart, from, 16);
    }
}
