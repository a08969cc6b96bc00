using System.Text.Json;

namespace FhirStore.Indexing;

/// <summary>
/// The span of time a date of any precision stands for: includes Start, excludes End, in microseconds since 0001-01-01 UTC
/// (https://hl7.org/fhir/R4/search.html#date). A date without a zone is read as UTC.
/// </summary>
internal readonly record struct DateInterval(long Start, long End)
{
    public const long Earliest = 0;

    /// <summary>Of periods without an end.</summary>
    public const long Latest = MicrosPerDay * (LastDay + 1);

    public const long MicrosPerDay = 86_400_000_000;

    /// <summary>9999-12-31.</summary>
    public const int LastDay = 3_652_058;

    private const long MicrosPerSecond = 1_000_000;
    private const long MicrosPerMinute = 60 * MicrosPerSecond;

    /// <summary>Day numbers since 0001-01-01 of the first and the last moment.</summary>
    public int FirstDay => DayOf(Start);

    public int FinalDay => DayOf(Math.Max(Start, End - 1));

    public static int DayOf(long micros) => (int)Math.Clamp(micros / MicrosPerDay, 0, LastDay);

    /// <returns>Null where the element is no date, or one that cannot be read.</returns>
    public static DateInterval? Of(JsonElement element, ElementShape shape) => shape switch
    {
        ElementShape.Date => OfText(element),
        ElementShape.Period => OfPeriod(element),
        ElementShape.Timing => OfTiming(element),
        _ => null,
    };

    private static DateInterval? OfText(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && TryParse(JsonText.Utf8(element), out var interval) ? interval : null;

    private static DateInterval? OfPeriod(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        var start = element.TryGetProperty("start"u8, out var from) ? OfText(from) : null;
        var end = element.TryGetProperty("end"u8, out var to) ? OfText(to) : null;
        var first = start?.Start ?? Earliest;
        return new(first, Math.Max(first, end?.End ?? Latest)); // one that ends before it starts is a moment
    }

    // Only the outer limits count: the first and last event, or the bounds.
    private static DateInterval? OfTiming(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        DateInterval? limits = null;
        if (element.TryGetProperty("event"u8, out var events) && events.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in events.EnumerateArray())
            {
                limits = Join(limits, OfText(item));
            }
        }
        if (element.TryGetProperty("repeat"u8, out var repeat) && repeat.ValueKind == JsonValueKind.Object && repeat.TryGetProperty("boundsPeriod"u8, out var bounds))
        {
            limits = Join(limits, OfPeriod(bounds));
        }
        return limits ?? new(Earliest, Latest);
    }

    private static DateInterval? Join(DateInterval? a, DateInterval? b) =>
        a is { } x && b is { } y ? new(Math.Min(x.Start, y.Start), Math.Max(x.End, y.End)) : a ?? b;

    /// <summary>Reads YYYY, YYYY-MM, YYYY-MM-DD, or those with Thh:mm, Thh:mm:ss or Thh:mm:ss.fff and an optional zone.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateInterval interval)
    {
        interval = default;
        if (!Digits(text, 0, 4, out var year) || year == 0)
        {
            return false;
        }
        if (text.Length == 4)
        {
            interval = new(Micros(year, 1, 1), year == 9999 ? Latest : Micros(year + 1, 1, 1));
            return true;
        }
        if (text.Length < 7 || text[4] != '-' || !Digits(text, 5, 2, out var month) || month is < 1 or > 12)
        {
            return false;
        }
        if (text.Length == 7)
        {
            var first = Micros(year, month, 1);
            interval = new(first, first + (DateTime.DaysInMonth(year, month) * MicrosPerDay));
            return true;
        }
        if (text.Length < 10 || text[7] != '-' || !Digits(text, 8, 2, out var day) || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }
        var start = Micros(year, month, day);
        if (text.Length == 10)
        {
            interval = new(start, start + MicrosPerDay);
            return true;
        }
        return text[10] == 'T' && TryParseTime(text[11..], start, out interval);
    }

    private static bool TryParseTime(ReadOnlySpan<byte> text, long day, out DateInterval interval)
    {
        interval = default;
        if (!Digits(text, 0, 2, out var hour) || hour > 24 || text.Length < 5 || text[2] != ':' || !Digits(text, 3, 2, out var minute) || minute > 59)
        {
            return false;
        }
        var at = day + (((hour * 60L) + minute) * MicrosPerMinute);
        var length = MicrosPerMinute;
        text = text[5..];
        if (!text.IsEmpty && text[0] == ':')
        {
            if (!Digits(text, 1, 2, out var second) || second > 60)
            {
                return false;
            }
            at += second * MicrosPerSecond;
            length = MicrosPerSecond;
            text = text[3..];
            if (!text.IsEmpty && text[0] == '.')
            {
                text = text[1..];
                if (!TakeFraction(ref text, out var micros, out var digits))
                {
                    return false;
                }
                at += micros;
                length = digits <= 3 ? 1000 : 1;
            }
        }
        if (!TryZone(text, out var offsetMinutes))
        {
            return false;
        }
        at -= offsetMinutes * MicrosPerMinute;
        at = Math.Clamp(at, Earliest, Latest - length);
        interval = new(at, at + length);
        return true;
    }

    private static bool TakeFraction(ref ReadOnlySpan<byte> text, out long micros, out int digits)
    {
        micros = 0;
        digits = 0;
        while (digits < text.Length && char.IsAsciiDigit((char)text[digits]))
        {
            if (digits < 6)
            {
                micros = (micros * 10) + text[digits] - '0';
            }
            digits++;
        }
        for (var i = digits; i < 6; i++)
        {
            micros *= 10;
        }
        text = text[digits..];
        return digits > 0;
    }

    private static bool TryZone(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.IsEmpty || (text.Length == 1 && text[0] == 'Z'))
        {
            return true;
        }
        // A plus sign that a client did not escape arrives as a space.
        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-' or (byte)' ') || text[3] != ':' || !Digits(text, 1, 2, out var hours) || hours > 14 || !Digits(text, 4, 2, out var rest) || rest > 59)
        {
            return false;
        }
        minutes = ((hours * 60) + rest) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static long Micros(int year, int month, int day) => new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks / TimeSpan.TicksPerMicrosecond;

    private static bool Digits(ReadOnlySpan<byte> text, int at, int count, out int value)
    {
        value = 0;
        if (text.Length < at + count)
        {
            return false;
        }
        foreach (var c in text.Slice(at, count))
        {
            if (!char.IsAsciiDigit((char)c))
            {
                return false;
            }
            value = (value * 10) + c - '0';
        }
        return true;
    }
}
