using System.Buffers;
using System.Text;
using System.Text.Json;

namespace FhirStore.Json;

/// <summary>Copies JSON that a reader has accepted: without white space between tokens, strings in their shortest escapes, numbers as they are.</summary>
internal static class CompactJson
{
    private static readonly SearchValues<byte> QuoteOrEscape = SearchValues.Create("\"\\"u8);
    private static readonly SearchValues<byte> WhiteOrQuote = SearchValues.Create(" \t\r\n\""u8);
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, (byte)'"', (byte)'\\']);

    public static void Copy(ref ByteWriter output, ReadOnlySpan<byte> json, Func<string, string?>? rewriteReference)
    {
        ReadOnlySpan<byte> lastName = default;
        while (!json.IsEmpty)
        {
            var plain = json.IndexOfAny(WhiteOrQuote);
            if (plain < 0)
            {
                output.Write(json);
                return;
            }
            output.Write(json[..plain]);
            json = json[plain..];
            if (json[0] != (byte)'"')
            {
                json = json[1..];
                continue;
            }
            var (length, isEscaped) = StringLength(json);
            var text = json[1..(length - 1)];
            json = json[length..].TrimStart(" \t\r\n"u8);
            if (json is [(byte)':', ..])
            {
                lastName = text;
            }
            else if (rewriteReference is not null && MayRefer(lastName, text) && Rewrite(text, rewriteReference) is { } rewritten)
            {
                WriteString(ref output, Encoding.UTF8.GetBytes(rewritten));
                continue;
            }
            if (isEscaped)
            {
                WriteUnescaped(ref output, text);
            }
            else
            {
                output.WriteByte((byte)'"');
                output.Write(text);
                output.WriteByte((byte)'"');
            }
        }
    }

    /// <summary>
    /// https://hl7.org/fhir/R4/http.html#trules names Reference.reference and values of type uri, url, oid and uuid.
    /// The type is not known here; of the elements that are strings and yet hold such URIs, only <c>value</c> (of an Identifier) is common.
    /// </summary>
    private static bool MayRefer(ReadOnlySpan<byte> name, ReadOnlySpan<byte> text) =>
        name.SequenceEqual("reference"u8) ||
        ((text.StartsWith("urn:uuid:"u8) || text.StartsWith("urn:oid:"u8)) && !name.SequenceEqual("value"u8));

    private static string? Rewrite(ReadOnlySpan<byte> text, Func<string, string?> rewriteReference) =>
        JsonText.ToStringOrNull(text) is { } value ? rewriteReference(value) : null;

    /// <returns>Length with both quotes.</returns>
    private static (int Length, bool IsEscaped) StringLength(ReadOnlySpan<byte> json)
    {
        var at = 1;
        var isEscaped = false;
        while (true)
        {
            at += json[at..].IndexOfAny(QuoteOrEscape);
            if (json[at] == (byte)'"')
            {
                return (at + 1, isEscaped);
            }
            isEscaped = true;
            at += 2;
        }
    }

    private static void WriteUnescaped(ref ByteWriter output, ReadOnlySpan<byte> raw)
    {
        var rented = ArrayPool<byte>.Shared.Rent(raw.Length);
        try
        {
            if (!JsonText.TryUnescape(raw, rented, out var written))
            {
                throw new JsonException("A string holds half of a surrogate pair.");
            }
            WriteString(ref output, rented.AsSpan(0, written));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>Escapes what JSON must have escaped, and nothing more.</summary>
    internal static void WriteString(ref ByteWriter output, scoped ReadOnlySpan<byte> text)
    {
        output.WriteByte((byte)'"');
        while (true)
        {
            var plain = text.IndexOfAny(Escaped);
            if (plain < 0)
            {
                break;
            }
            output.Write(text[..plain]);
            WriteEscape(ref output, text[plain]);
            text = text[(plain + 1)..];
        }
        output.Write(text);
        output.WriteByte((byte)'"');
    }

    private static void WriteEscape(ref ByteWriter output, byte value)
    {
        switch (value)
        {
            case (byte)'"':
                output.Write("\\\""u8);
                break;
            case (byte)'\\':
                output.Write("\\\\"u8);
                break;
            case (byte)'\n':
                output.Write("\\n"u8);
                break;
            case (byte)'\r':
                output.Write("\\r"u8);
                break;
            case (byte)'\t':
                output.Write("\\t"u8);
                break;
            default:
                output.Write("\\u00"u8);
                output.WriteByte("0123456789abcdef"u8[value >> 4]);
                output.WriteByte("0123456789abcdef"u8[value & 15]);
                break;
        }
    }
}
