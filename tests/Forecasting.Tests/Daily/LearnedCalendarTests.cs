using Forecasting.Daily;

namespace Forecasting.Tests.Daily;

public sealed class LearnedCalendarTests
{
    private static readonly DateOnly Start = new(2024, 1, 1);

    /// <summary>https://en.wikipedia.org/wiki/List_of_dates_for_Easter: both, of years where they differ and where they do not.</summary>
    [Theory]
    [InlineData("2019-04-21", "2019-04-28")]
    [InlineData("2024-03-31", "2024-05-05")]
    [InlineData("2025-04-20", "2025-04-20")]
    [InlineData("2026-04-05", "2026-04-12")]
    [InlineData("2038-04-25", "2038-04-25")]
    public void Easter_OfAYear_IsTheDayItIsKept(string western, string orthodox)
    {
        Assert.Equal(DateOnly.Parse(western, null), YearlyNames.WesternEaster(DateOnly.Parse(western, null).Year));
        Assert.Equal(DateOnly.Parse(orthodox, null), YearlyNames.OrthodoxEaster(DateOnly.Parse(orthodox, null).Year));
    }

    [Theory]
    [InlineData("2024-12-25", "2025-12-25", "2026-12-25")] // a date
    [InlineData("2024-04-01", "2025-04-21", "2026-04-06")] // Easter Monday
    [InlineData("2024-11-28", "2025-11-27", "2026-11-26")] // fourth Thursday of November
    [InlineData("2024-05-27", "2025-05-26", "2026-05-25")] // last Monday of May
    public void Holiday_QuietInBothYears_IsClosedInTheNext(string first, string second, string next)
    {
        DateOnly[] quiet = [DateOnly.Parse(first, null), DateOnly.Parse(second, null)];
        var series = Series(800, day => quiet.Contains(day) ? 0 : 8);

        var calendar = LearnedCalendar.Of(series, ServiceCalendar.AlwaysOpen, 366);

        Assert.Superset(new HashSet<DateOnly>([.. quiet, DateOnly.Parse(next, null)]), calendar.ClosedDays.ToHashSet());
        Assert.InRange(calendar.ClosedDays.Count, 3, 4); // one other rule may fit two days, too
        Assert.Equal(0, DailyForecaster.Forecast(series, calendar, 366).Days.Single(day => day.Day == DateOnly.Parse(next, null)).Value);
    }

    [Fact]
    public void Day_QuietInOneYearOnly_IsNoHoliday()
    {
        var series = Series(800, day => day == new DateOnly(2024, 12, 25) ? 0 : 8);

        Assert.Empty(LearnedCalendar.Of(series, ServiceCalendar.AlwaysOpen, 366).ClosedDays);
    }

    /// <summary>At three visits a day an empty day is nothing strange: a year of days has eighteen.</summary>
    [Fact]
    public void Days_QuietByChance_AreNoHolidays()
    {
        var found = Enumerable.Range(0, 40).Sum(seed =>
        {
            var days = Loads.Clinic(728, seed, _ => 3);
            return LearnedCalendar.Of(days, ServiceCalendar.AlwaysOpen, 366).ClosedDays.Count;
        });

        Assert.InRange(found, 0, 8);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(150)]
    public void Absence_OfWeeks_TeachesNothing(int days)
    {
        var series = Series(700, day => day.DayNumber - Start.DayNumber is var since && since >= 500 && since < 500 + days ? 0 : 8);
        var calendar = LearnedCalendar.Of(series, ServiceCalendar.AlwaysOpen, 28);

        Assert.Equal(days, calendar.ClosedDays.Count);
        Assert.All(DailyForecaster.Forecast(series, calendar, 28).Days, day => Assert.Equal(8, day.Value, 0.01));
    }

    [Fact]
    public void Service_ThatStoppedTwoMonthsAgo_IsNotAbsent()
    {
        var series = Series(700, day => day.DayNumber - Start.DayNumber >= 640 ? 0 : 8);

        Assert.Empty(LearnedCalendar.Of(series, ServiceCalendar.AlwaysOpen, 28).ClosedDays);
    }

    [Fact]
    public void Weekends_WithinAnAbsence_NeitherEndItNorLengthenIt()
    {
        var working = new ServiceCalendar { ClosedWeekdays = new HashSet<DayOfWeek> { DayOfWeek.Saturday, DayOfWeek.Sunday } };
        var series = Series(400, day => day.DayNumber - Start.DayNumber is >= 303 and < 310 || !working.IsOpen(day) ? 0 : 8);

        Assert.Equal(5, LearnedCalendar.Of(series, working, 28).ClosedDays.Count);
    }

    private static DailySeries Series(int days, Func<DateOnly, double> count) => new(Start, Enumerable.Range(0, days).Select(i => count(Start.AddDays(i))).ToArray());
}
