using System.Buffers;
using System.Buffers.Text;
using System.Text;
using FhirStore.Model;

namespace FhirStore.Json;

/// <summary>The lexical rules of R4's primitives, https://hl7.org/fhir/R4/datatypes.html#primitive.</summary>
internal static class PrimitiveFormats
{
    /// <summary>https://hl7.org/fhir/R4/datatypes.html#string: 1 MB, in characters.</summary>
    private const int LongestString = 1024 * 1024;

    /// <summary>
    /// R4 gives decimals no limit. One of a million digits, or 1e999999999, would cost whoever computes with it
    /// far more than it cost to send.
    /// </summary>
    private const int LongestDecimal = 100;

    private static readonly SearchValues<byte> White = SearchValues.Create(" \t\r\n"u8);
    private static readonly SearchValues<byte> IdBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."u8);

    /// <summary>Control characters that FHIR's strings may not hold: all but tab, line feed and carriage return.</summary>
    private static readonly SearchValues<byte> Control = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);

    /// <param name="text">The number as written, or the unescaped text of a string.</param>
    /// <returns>Null where it is right, else what is allowed.</returns>
    public static string? Wrong(PrimitiveKind kind, ReadOnlySpan<byte> text) => kind switch
    {
        PrimitiveKind.Boolean => null,
        PrimitiveKind.Integer => IsInteger(text, int.MinValue) ? null : "is a whole number from -2147483648 to 2147483647, without fraction, exponent or leading zeros",
        PrimitiveKind.UnsignedInt => IsInteger(text, 0) ? null : "is a whole number from 0 to 2147483647, without fraction, exponent or leading zeros",
        PrimitiveKind.PositiveInt => IsInteger(text, 1) ? null : "is a whole number from 1 to 2147483647, without fraction, exponent or leading zeros",
        PrimitiveKind.Decimal => IsDecimal(text) ? null : "has at most 100 characters here, and an exponent of at most three digits",
        _ when text.IsEmpty => "is never empty: leave the property out where there is no value",
        _ when text.ContainsAny(Control) => "holds no control characters but tab, line feed and carriage return",
        PrimitiveKind.String or PrimitiveKind.Markdown => WrongString(text),
        PrimitiveKind.Code => IsCode(text) ? null : "has no white space at its start or end, and inside only single spaces",
        PrimitiveKind.Id => text.Length <= 64 && !text.ContainsAnyExcept(IdBytes) ? null : "is 1 to 64 of A-Z, a-z, 0-9, '-' and '.'",
        PrimitiveKind.Uri or PrimitiveKind.Url or PrimitiveKind.Canonical => text.ContainsAny(White) ? "holds no white space" : null,
        PrimitiveKind.Date => CalendarFormats.IsDate(text) ? null : "is YYYY, YYYY-MM or YYYY-MM-DD, and a day that exists",
        PrimitiveKind.DateTime => CalendarFormats.IsDateTime(text) ? null : "is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone (Z, +hh:mm or -hh:mm), and a day and time that exist",
        PrimitiveKind.Instant => CalendarFormats.IsInstant(text) ? null : "is YYYY-MM-DDThh:mm:ss with a zone (Z, +hh:mm or -hh:mm), and a day and time that exist",
        PrimitiveKind.Time => CalendarFormats.IsTime(text) ? null : "is hh:mm:ss from 00:00:00, without a zone",
        PrimitiveKind.Oid => IsOid(text) ? null : "is urn:oid: and numbers with dots, such as urn:oid:1.2.3",
        PrimitiveKind.Uuid => IsUuid(text) ? null : "is urn:uuid: and a UUID in lower case",
        PrimitiveKind.Base64Binary => Base64.IsValid(text, out var length) && length > 0 ? null : "is base64 of at least one byte",
        PrimitiveKind.Xhtml => Narrative.Wrong(text),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Add the new primitive to this table."),
    };

    private static string? WrongString(ReadOnlySpan<byte> text)
    {
        if (!text.ContainsAnyExcept(White))
        {
            return "holds more than white space: leave the property out where there is no value";
        }
        return text.Length <= LongestString || Encoding.UTF8.GetCharCount(text) <= LongestString ? null : "has at most 1048576 characters";
    }

    private static bool IsInteger(ReadOnlySpan<byte> text, int least)
    {
        var digits = text[0] == (byte)'-' ? text[1..] : text;
        if (digits.Length > 10 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') || (digits[0] == (byte)'0' && text.Length > 1))
        {
            return false;
        }
        return Utf8Parser.TryParse(text, out long value, out _) && value >= least && value <= int.MaxValue;
    }

    private static bool IsDecimal(ReadOnlySpan<byte> text)
    {
        var exponent = text.IndexOfAny((byte)'e', (byte)'E');
        return text.Length <= LongestDecimal && (exponent < 0 || text[(exponent + 1)..].TrimStart("+-"u8).TrimStart((byte)'0').Length <= 3);
    }

    private static bool IsCode(ReadOnlySpan<byte> text)
    {
        if (White.Contains(text[0]) || White.Contains(text[^1]))
        {
            return false;
        }
        for (var at = text.IndexOfAny(White); at >= 0;)
        {
            if (White.Contains(text[at + 1]))
            {
                return false;
            }
            text = text[(at + 1)..];
            at = text.IndexOfAny(White);
        }
        return true;
    }

    private static bool IsOid(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith("urn:oid:"u8) || text.Length < 11 || text[8] is < (byte)'0' or > (byte)'2' || text[9] != (byte)'.')
        {
            return false;
        }
        foreach (var range in text[10..].Split((byte)'.'))
        {
            var number = text[10..][range];
            if (number.IsEmpty || number.ContainsAnyExceptInRange((byte)'0', (byte)'9') || (number[0] == (byte)'0' && number.Length > 1))
            {
                return false;
            }
        }
        return true;
    }

    private static bool IsUuid(ReadOnlySpan<byte> text) =>
        text.StartsWith("urn:uuid:"u8) && text.Length == 45 && Utf8Parser.TryParse(text[9..], out Guid _, out var read, 'D') && read == 36 &&
        !text.ContainsAnyInRange((byte)'A', (byte)'Z');
}
