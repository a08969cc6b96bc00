using FhirCore.Records;
using FhirStore.Encryption;

namespace Authorization.Records;

/// <summary>A text by which a record is found, kept in the index as a keyed 16-byte token: the engine never sees the text.</summary>
internal sealed class TokenField(IndexTokens tokens, string recordType, string name)
{
    private const int Length = 16;
    private readonly IndexField _field = IndexField.Of(name);
    private readonly Lazy<IndexTokenKey> _key = new(() => tokens.KeyFor($"{recordType}/{name}"));

    public void Add(IndexEntries.Builder entries, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            entries.Add(_field, Token(value));
        }
    }

    public Predicate Is(string value) => new Predicate.EqualTo(_field, Token(value));

    private byte[] Token(string value)
    {
        var token = new byte[Length];
        _key.Value.Token(value, token);
        return token;
    }
}
