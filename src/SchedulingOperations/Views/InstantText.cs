using System.Globalization;
using System.Text.Json;

namespace SchedulingOperations.Views;

/// <summary>FHIR instants and zoned dateTimes. The text is never changed: offsets come back as they were sent, comparison is by instant.</summary>
public static class InstantText
{
    /// <summary>Reads a full date and time with its offset; 60 seconds (a leap second) is the first second of the next minute.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DateTimeOffset instant)
    {
        instant = default;
        if (text.Length < 20 || text[10] != 'T' || !(text[^1] == 'Z' || (text[^3] == ':' && text[^6] is '+' or '-')))
        {
            return false;
        }
        var isLeap = text[16] == ':' && text[17] == '6' && text[18] == '0';
        if (isLeap)
        {
            text = string.Concat(text[..17], "59", text[19..]);
        }
        if (!DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out instant) && !TryParseLongFraction(text, out instant))
        {
            return false;
        }
        if (isLeap)
        {
            instant = instant.AddSeconds(1);
        }
        return true;
    }

    public static bool TryRead(JsonElement parent, ReadOnlySpan<byte> name, out DateTimeOffset instant)
    {
        instant = default;
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
        {
            return false;
        }
        // The fast way does not know leap seconds, and would give a time without an offset the offset of this machine.
        return value.TryGetDateTimeOffset(out instant) && HasOffset(value) || TryParse(value.GetString(), out instant);
    }

    public static string Utc(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString(instant.UtcTicks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    private static bool HasOffset(JsonElement value)
    {
        var raw = System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value); // with its quotes
        return raw.Length > 12 && (raw[^2] == (byte)'Z' || raw[^4] == (byte)':' && raw[^7] is (byte)'+' or (byte)'-');
    }

    private static bool TryParseLongFraction(ReadOnlySpan<char> text, out DateTimeOffset instant)
    {
        instant = default;
        var end = 20;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }
        return text[19] == '.' && end > 27 && DateTimeOffset.TryParseExact(string.Concat(text[..27], text[end..]), Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out instant);
    }
}
