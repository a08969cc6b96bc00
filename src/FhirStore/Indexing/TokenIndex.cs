using System.Buffers;
using System.Text;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>
/// One 16-byte entry for each code: 8 bytes of keyed token of the code, then 8 of the system with the code. The whole finds
/// <c>system|code</c>, the first half any system.
/// </summary>
internal sealed class TokenIndex(string type, string name, IndexTokens tokens) : ParameterIndex, ICodeIndex
{
    private const int Half = 8;
    private readonly IndexField _field = IndexField.Of($"{type}.{name}");
    private readonly IndexTokenKey _code = tokens.KeyFor($"{type}/{name}/code");
    private readonly IndexTokenKey _pair = tokens.KeyFor($"{type}/{name}/system-code");

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        var visitor = new Visitor(this, entries);
        TokenReader.Visit(element, shape, ref visitor);
    }

    public Cover Find(string? system, string? code)
    {
        if (code is null)
        {
            return Cover.Unknown;
        }
        var codeBytes = Encoding.UTF8.GetBytes(code);
        if (system is not null)
        {
            var value = new byte[2 * Half];
            Write(Encoding.UTF8.GetBytes(system), codeBytes, value);
            return new(new Predicate.EqualTo(_field, value), true);
        }
        var from = new byte[2 * Half];
        _code.Token(codeBytes, from.AsSpan(0, Half));
        return new(ByPrefix(_field, from, Half), false);
    }

    /// <summary>Entries whose first bytes are those of <paramref name="from"/>; the rest of it is zero.</summary>
    public static Predicate ByPrefix(IndexField field, byte[] from, int prefix)
    {
        var to = (byte[])from.Clone();
        for (var i = prefix - 1; i >= 0; i--)
        {
            if (++to[i] != 0)
            {
                return new Predicate.Between(field, from, to);
            }
        }
        return new Predicate.Between(field, from, default);
    }

    private void Write(ReadOnlySpan<byte> system, ReadOnlySpan<byte> code, Span<byte> value)
    {
        _code.Token(code, value[..Half]);
        var length = system.Length + 1 + code.Length;
        byte[]? rented = null;
        var pair = length <= 512 ? stackalloc byte[512] : (rented = ArrayPool<byte>.Shared.Rent(length));
        system.CopyTo(pair);
        pair[system.Length] = 0; // no text of FHIR holds it
        code.CopyTo(pair[(system.Length + 1)..]);
        _pair.Token(pair[..length], value[Half..]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private readonly struct Visitor(TokenIndex index, IndexEntries.Builder entries) : ITokenVisitor
    {
        public bool Visit(JsonElement system, JsonElement code)
        {
            if (code.ValueKind != JsonValueKind.Undefined)
            {
                Span<byte> value = stackalloc byte[2 * Half];
                index.Write(
                    system.ValueKind == JsonValueKind.String ? JsonText.Utf8(system) : default,
                    code.ValueKind switch { JsonValueKind.True => "true"u8, JsonValueKind.False => "false"u8, _ => JsonText.Utf8(code) },
                    value);
                entries.Add(index._field, value);
            }
            return false;
        }
    }
}
