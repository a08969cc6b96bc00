namespace FhirStore.Json;

/// <summary>R4's date, dateTime, instant and time: real days of the calendar, https://hl7.org/fhir/R4/datatypes.html#date.</summary>
internal static class CalendarFormats
{
    /// <summary>A year, a month or a day.</summary>
    public static bool IsDate(ReadOnlySpan<byte> text) => text.Length switch
    {
        4 => IsYear(text),
        7 => IsMonth(text),
        10 => IsDay(text),
        _ => false,
    };

    /// <summary>A date, or a day with time and zone.</summary>
    public static bool IsDateTime(ReadOnlySpan<byte> text) => text.Length <= 10 ? IsDate(text) : IsInstant(text);

    public static bool IsInstant(ReadOnlySpan<byte> text)
    {
        if (text.Length < 20 || !IsDay(text[..10]) || text[10] != (byte)'T')
        {
            return false;
        }
        var zone = text[^1] == (byte)'Z' ? 1 : 6;
        return text.Length - zone >= 19 && IsTime(text[11..^zone]) && (zone == 1 || IsOffset(text[^6..]));
    }

    /// <summary>Hours, minutes and seconds; second 60 is a leap second.</summary>
    public static bool IsTime(ReadOnlySpan<byte> text)
    {
        if (text.Length < 8 || text[2] != (byte)':' || text[5] != (byte)':' ||
            Two(text, 0) is < 0 or > 23 || Two(text, 3) is < 0 or > 59 || Two(text, 6) is < 0 or > 60)
        {
            return false;
        }
        return text.Length == 8 || (text[8] == (byte)'.' && text.Length > 9 && !text[9..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }

    /// <summary>
    /// Compares two valid dateTimes as FHIRPath does: nothing can be said where they differ in precision.
    /// </summary>
    public static bool IsCertainlyAfter(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length <= 10 || right.Length <= 10)
        {
            return left.Length == right.Length && left.SequenceCompareTo(right) > 0;
        }
        var byZone = Seconds(left).CompareTo(Seconds(right));
        return byZone > 0 || (byZone == 0 && Fraction(left).SequenceCompareTo(Fraction(right)) > 0);
    }

    private static long Seconds(ReadOnlySpan<byte> instant)
    {
        var days = new DateOnly((Two(instant, 0) * 100) + Two(instant, 2), Two(instant, 5), Two(instant, 8)).DayNumber;
        var local = (((((days * 24L) + Two(instant, 11)) * 60) + Two(instant, 14)) * 60) + Two(instant, 17);
        if (instant[^1] == (byte)'Z')
        {
            return local;
        }
        var offset = ((Two(instant, instant.Length - 5) * 60L) + Two(instant, instant.Length - 2)) * 60;
        return instant[^6] == (byte)'-' ? local + offset : local - offset;
    }

    /// <summary>Digits of the fraction without trailing zeros: they compare as text.</summary>
    private static ReadOnlySpan<byte> Fraction(ReadOnlySpan<byte> instant)
    {
        var end = instant.Length - (instant[^1] == (byte)'Z' ? 1 : 6);
        return end <= 20 ? [] : instant[20..end].TrimEnd((byte)'0');
    }

    private static bool IsYear(ReadOnlySpan<byte> text) =>
        Two(text, 0) is var century and >= 0 && Two(text, 2) is var year and >= 0 && century + year > 0;

    private static bool IsMonth(ReadOnlySpan<byte> text) => IsYear(text) && text[4] == (byte)'-' && Two(text, 5) is >= 1 and <= 12;

    private static bool IsDay(ReadOnlySpan<byte> text) =>
        IsMonth(text) && text[7] == (byte)'-' && Two(text, 8) is var day and >= 1 &&
        (day <= 28 || day <= DateTime.DaysInMonth((Two(text, 0) * 100) + Two(text, 2), Two(text, 5)));

    private static bool IsOffset(ReadOnlySpan<byte> text) =>
        text[0] is (byte)'+' or (byte)'-' && text[3] == (byte)':' && Two(text, 1) is var hours and >= 0 and <= 14 &&
        Two(text, 4) is var minutes and >= 0 and <= 59 && (hours < 14 || minutes == 0);

    /// <returns>-1 where there are not two digits.</returns>
    private static int Two(ReadOnlySpan<byte> text, int at)
    {
        var tens = (uint)(text[at] - '0');
        var ones = (uint)(text[at + 1] - '0');
        return tens <= 9 && ones <= 9 ? (int)((tens * 10) + ones) : -1;
    }
}
