using System.Globalization;

namespace Forecasting.Daily;

/// <summary>By which rules a day may come back in other years: its date, its distance from Easter, which Monday of the month it is.</summary>
internal static class YearlyNames
{
    /// <summary>Maundy Thursday to Easter Monday, Ascension, Whit Monday and Corpus Christi, by days after Easter Sunday.</summary>
    private static readonly int[] AroundEaster = [-3, -2, -1, 0, 1, 39, 49, 50, 60];

    public static IEnumerable<string> Of(DateOnly day)
    {
        yield return day.ToString("MM-dd", CultureInfo.InvariantCulture);
        var afterEaster = day.DayNumber - WesternEaster(day.Year).DayNumber;
        if (Array.IndexOf(AroundEaster, afterEaster) >= 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Easter {afterEaster:+0;-0;0}");
        }
        var afterPascha = day.DayNumber - OrthodoxEaster(day.Year).DayNumber;
        if (Array.IndexOf(AroundEaster, afterPascha) >= 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Pascha {afterPascha:+0;-0;0}");
        }
        yield return string.Create(CultureInfo.InvariantCulture, $"{day:MM} {day.DayOfWeek} {(day.Day + 6) / 7}");
        if (day.AddDays(7).Month != day.Month)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{day:MM} last {day.DayOfWeek}");
        }
    }

    /// <summary>Gregorian Easter Sunday (Meeus, Jones, Butcher).</summary>
    public static DateOnly WesternEaster(int year)
    {
        var (a, b, c) = (year % 19, year / 100, year % 100);
        var h = ((19 * a) + b - (b / 4) - ((b - ((b + 8) / 25) + 1) / 3) + 15) % 30;
        var l = (32 + (2 * (b % 4)) + (2 * (c / 4)) - h - (c % 4)) % 7;
        var m = (a + (11 * h) + (22 * l)) / 451;
        var day = h + l - (7 * m) + 114;
        return new(year, day / 31, (day % 31) + 1);
    }

    /// <summary>Julian Easter Sunday on the Gregorian calendar; right from 1900 to 2099, a day or two off beyond.</summary>
    public static DateOnly OrthodoxEaster(int year)
    {
        var d = ((19 * (year % 19)) + 15) % 30;
        var day = d + (((2 * (year % 4)) + (4 * (year % 7)) - d + 34) % 7) + 114;
        return new DateOnly(year, day / 31, (day % 31) + 1).AddDays(13);
    }
}
