using System.Text;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>A 16-byte token of the whole uri.</summary>
internal sealed class UriIndex(string type, string name, IndexTokens tokens) : ParameterIndex
{
    private readonly IndexField _field = IndexField.Of($"{type}.{name}");
    private readonly IndexTokenKey _key = tokens.KeyFor($"{type}/{name}/uri");

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            Span<byte> value = stackalloc byte[16];
            _key.Token(JsonText.Utf8(element), value);
            entries.Add(_field, value);
        }
    }

    public Cover Find(string uri)
    {
        var value = new byte[16];
        _key.Token(Encoding.UTF8.GetBytes(uri), value);
        return new(new Predicate.EqualTo(_field, value), true);
    }
}
