using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Sealed;

/// <summary>A text by which a record is found, kept in the index as a keyed 16-byte token: the engine never sees the text.</summary>
public sealed class TokenField(IndexTokens tokens, string recordType, string name)
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

    /// <summary>All of the values that are given; the others do not matter.</summary>
    public static Predicate AllOf(params ReadOnlySpan<(TokenField Field, string? Value)> wanted)
    {
        var parts = ImmutableArray.CreateBuilder<Predicate>(wanted.Length);
        foreach (var (field, value) in wanted)
        {
            if (!string.IsNullOrEmpty(value))
            {
                parts.Add(field.Is(value));
            }
        }
        return new Predicate.AllOf(parts.ToImmutable());
    }

    private byte[] Token(string value)
    {
        var token = new byte[Length];
        _key.Value.Token(value, token);
        return token;
    }
}
