using NodaTime;

namespace FhirServer.Demo;

/// <summary>Days on which a site is closed: public holidays of Berlin and of Kazakhstan, those of them that follow the civil calendar or Western Easter.</summary>
internal static class DemoHolidays
{
    private static readonly (int Month, int Day)[] Berlin = [(1, 1), (3, 8), (5, 1), (10, 3), (12, 25), (12, 26)];
    private static readonly int[] BerlinAfterEaster = [-2, 1, 39, 50];
    private static readonly (int Month, int Day)[] Almaty =
        [(1, 1), (1, 2), (1, 7), (3, 8), (3, 21), (3, 22), (3, 23), (5, 1), (5, 7), (5, 9), (7, 6), (8, 30), (10, 25), (12, 16)];

    public static bool IsHoliday(DemoSite site, LocalDate day) => site == DemoSites.Berlin
        ? Berlin.Contains((day.Month, day.Day)) || BerlinAfterEaster.Contains(Period.DaysBetween(Easter(day.Year), day))
        : Almaty.Contains((day.Month, day.Day));

    /// <summary>Easter Sunday by Gauss' rule, with its two exceptions.</summary>
    internal static LocalDate Easter(int year)
    {
        var century = year / 100;
        var moon = (15 + century - (century / 4) - (((8 * century) + 13) / 25)) % 30;
        var epact = ((19 * (year % 19)) + moon) % 30;
        var sunday = ((2 * (year % 4)) + (4 * (year % 7)) + (6 * epact) + ((4 + century - (century / 4)) % 7)) % 7;
        var days = epact + sunday;
        if (days == 35 || (days == 34 && epact == 28 && year % 19 > 10))
        {
            days -= 7;
        }
        return new LocalDate(year, 3, 22).PlusDays(days);
    }
}
