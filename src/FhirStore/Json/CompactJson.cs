using System.Buffers;
using System.Text;
using System.Text.Json;

namespace FhirStore.Json;

/// <summary>Copies JSON that a reader has accepted: without white space between tokens, strings in their shortest escapes, numbers as they are.</summary>
internal static class CompactJson
{
    private static readonly SearchValues<byte> WhiteOrQuote = SearchValues.Create(" \t\r\n\""u8);
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, (byte)'"', (byte)'\\']);

    private static ReadOnlySpan<byte> White => " \t\r\n"u8;

    public static void Copy(ref ByteWriter output, ReadOnlySpan<byte> json, Func<string, string?>? rewriteReference)
    {
        ReadOnlySpan<byte> lastName = default;
        // What stands between here and the place looked at goes out as it is.
        var pending = 0;
        var at = 0;
        while (json[at..].IndexOfAny(WhiteOrQuote) is var next and >= 0)
        {
            at += next;
            if (json[at] != (byte)'"')
            {
                output.Write(json[pending..at]);
                at = pending = json.Length - json[at..].TrimStart(White).Length;
                continue;
            }
            var start = at;
            var (length, isPlain) = ReadString(json[start..]);
            at += length;
            if (rewriteReference is not null)
            {
                var text = json[(start + 1)..(at - 1)];
                if (json[at..].TrimStart(White) is [(byte)':', ..])
                {
                    lastName = text;
                }
                else if (MayRefer(lastName, text) && Rewrite(text, rewriteReference) is { } rewritten)
                {
                    output.Write(json[pending..start]);
                    WriteString(ref output, Encoding.UTF8.GetBytes(rewritten));
                    pending = at;
                    continue;
                }
            }
            if (!isPlain)
            {
                output.Write(json[pending..start]);
                WriteUnescaped(ref output, json[(start + 1)..(at - 1)]);
                pending = at;
            }
        }
        output.Write(json[pending..]);
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

    /// <returns>Length with both quotes; and whether every escape in it is the shortest that there is.</returns>
    private static (int Length, bool IsPlain) ReadString(ReadOnlySpan<byte> json)
    {
        var at = 1;
        var isPlain = true;
        while (true)
        {
            at += json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[at] == (byte)'"')
            {
                return (at + 1, isPlain);
            }
            isPlain &= json[at + 1] is (byte)'"' or (byte)'\\' or (byte)'n' or (byte)'r' or (byte)'t';
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
