using System.Globalization;
using NodaTime;
using SchedulingOperations.Views;

namespace SchedulingOperations.Finding;

/// <summary>Reads a dateTime of any precision; what has no offset is local time of the configured zone.</summary>
internal static class WhenText
{
    /// <param name="isEnd">A date stands for its end: the start of the next day (month, year).</param>
    public static bool TryParse(string text, string zone, bool isEnd, out DateTimeOffset instant)
    {
        if (InstantText.TryParse(text, out instant))
        {
            return true;
        }
        var precision = Array.FindIndex(Formats, format => DateTime.TryParseExact(text, format, CultureInfo.InvariantCulture, DateTimeStyles.None, out _));
        if (precision < 0)
        {
            return false;
        }
        var local = LocalDate.FromDateTime(DateTime.ParseExact(text, Formats[precision], CultureInfo.InvariantCulture, DateTimeStyles.None));
        if (isEnd)
        {
            if (local.Year == 9999)
            {
                return false;
            }
            local = precision switch { 0 => local.PlusYears(1), 1 => local.PlusMonths(1), _ => local.PlusDays(1) };
        }
        instant = DateTimeZoneProviders.Tzdb[zone].AtStartOfDay(local).ToDateTimeOffset();
        return true;
    }

    private static readonly string[] Formats = ["yyyy", "yyyy-MM", "yyyy-MM-dd"];
}
