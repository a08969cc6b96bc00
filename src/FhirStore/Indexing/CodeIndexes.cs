using System.Text;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>Codes of a short fixed list: a token of one byte, so that only the size of a bucket is told; hits are checked.</summary>
internal sealed class CodeBucketIndex(string type, string name, IndexTokens tokens) : ParameterIndex, ICodeIndex
{
    private readonly IndexField _field = IndexField.Of($"{type}.{name}:bucket");
    private readonly IndexTokenKey _key = tokens.KeyFor($"{type}/{name}/bucket");

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            Span<byte> value = stackalloc byte[1];
            _key.Token(JsonText.Utf8(element), value);
            entries.Add(_field, value);
        }
    }

    public Cover Find(string? system, string? code)
    {
        if (code is null)
        {
            return Cover.Unknown;
        }
        var value = new byte[1];
        _key.Token(Encoding.UTF8.GetBytes(code), value);
        return new(new Predicate.EqualTo(_field, value), false);
    }
}

/// <summary>Operational codes, in clear: one byte for each code, 0 for one that R4 does not have.</summary>
internal sealed class ClearCodeIndex(string type, string name, Func<string?, byte> number) : ParameterIndex, ICodeIndex
{
    private readonly IndexField _field = IndexField.Of($"{type}.{name}:clear");

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            entries.Add(_field, [number(element.GetString())]);
        }
    }

    public Cover Find(string? system, string? code)
    {
        if (code is null)
        {
            return Cover.Unknown;
        }
        if (!string.IsNullOrEmpty(system))
        {
            return Cover.Nothing;
        }
        var byCode = number(code);
        return new(new Predicate.EqualTo(_field, new[] { byCode }), byCode != 0);
    }
}
