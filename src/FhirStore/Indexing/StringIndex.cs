using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>
/// Tokens of the first few folded characters of each string, short ones truncated so that they say little. Every string
/// gives the same number of entries: a shorter one is filled up with tokens that no search asks for.
/// </summary>
internal sealed class StringIndex : ParameterIndex
{
    /// <summary>For names and titles: a search of one letter is served too.</summary>
    public static readonly Prefix[] Names = [new(1, 1), new(3, 2), new(5, 4)];

    /// <summary>For addresses, of which a resource has many parts.</summary>
    public static readonly Prefix[] Addresses = [new(2, 2), new(5, 4)];

    private readonly Prefix[] _prefixes;
    private readonly IndexField[] _fields;
    private readonly IndexTokenKey[] _keys;
    private readonly IndexTokenKey _filler;

    public StringIndex(string type, string name, IndexTokens tokens, Prefix[] prefixes)
    {
        _prefixes = prefixes;
        _fields = Array.ConvertAll(prefixes, p => IndexField.Of($"{type}.{name}:{p.Characters}"));
        _keys = Array.ConvertAll(prefixes, p => tokens.KeyFor($"{type}/{name}/prefix-{p.Characters}"));
        _filler = tokens.KeyFor($"{type}/{name}/filler");
    }

    /// <param name="Characters">How many folded characters the token stands for.</param>
    /// <param name="Bytes">Length of the token.</param>
    internal readonly record struct Prefix(int Characters, int Bytes);

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        var visitor = new Visitor(this, entries);
        TextParts.Visit(element, shape, ref visitor);
    }

    /// <param name="folded">The beginning of the strings wanted.</param>
    public Cover FindPrefix(string folded)
    {
        for (var i = _prefixes.Length - 1; i >= 0; i--)
        {
            if (folded.Length >= _prefixes[i].Characters)
            {
                var value = new byte[_prefixes[i].Bytes];
                _keys[i].Token(folded.AsSpan(0, _prefixes[i].Characters), value);
                return new(new Predicate.EqualTo(_fields[i], value), false);
            }
        }
        return Cover.Unknown;
    }

    private void Add(string text, IndexEntries.Builder entries)
    {
        var folded = TextFolding.Fold(text);
        if (folded.Length == 0)
        {
            return;
        }
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        for (var i = 0; i < _prefixes.Length; i++)
        {
            var token = value[.._prefixes[i].Bytes];
            if (folded.Length >= _prefixes[i].Characters)
            {
                _keys[i].Token(folded.AsSpan(0, _prefixes[i].Characters), token);
            }
            else
            {
                _filler.Token(folded, token);
            }
            entries.Add(_fields[i], token);
        }
    }

    private readonly struct Visitor(StringIndex index, IndexEntries.Builder entries) : IStringVisitor
    {
        public bool Visit(string text)
        {
            index.Add(text, entries);
            return false;
        }
    }
}
