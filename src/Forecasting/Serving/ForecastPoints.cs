using Forecasting.Hourly;
using Forecasting.Series;

namespace Forecasting.Serving;

/// <summary>One day, week or hour ahead.</summary>
/// <param name="Day">The day, or the first of the week.</param>
/// <param name="Hour">On the subject's clock; null for days and weeks.</param>
/// <param name="Days">How many days: of a week up to seven, as its first and last may lie outside the horizon.</param>
/// <param name="Booked">Bookings that stand for it already.</param>
internal readonly record struct ForecastPoint(DateOnly Day, int? Hour, int Days, double Value, double Lower, double Upper, bool IsOpen, int Booked);

/// <summary>A forecast cut into days, calendar weeks or hours.</summary>
internal static class ForecastPoints
{
    private const double DeviationsAt80 = 1.2815515655446004;

    /// <summary>People change their hours: older visits do not tell them.</summary>
    private const int HourlyHistoryDays = 182;

    public static IEnumerable<ForecastPoint> Of(SubjectForecast forecast, Granularity granularity, int horizon, int percent) => granularity switch
    {
        Granularity.Day => Days(forecast, horizon, percent),
        Granularity.Week => Weeks(forecast, 0, horizon, percent),
        Granularity.Hour => Hours(forecast, horizon, percent),
        _ => throw new ArgumentOutOfRangeException(nameof(granularity), granularity, "Say here what its points are."),
    };

    private static IEnumerable<ForecastPoint> Days(SubjectForecast forecast, int horizon, int percent)
    {
        for (var i = 0; i < horizon; i++)
        {
            var day = forecast.Forecast.Days[i];
            var (lower, upper) = forecast.Forecast.Interval(i, percent);
            yield return new(day.Day, null, 1, day.Value, lower, upper, day.IsOpen, forecast.Booked(day.Day, day.Day.AddDays(1)));
        }
    }

    public static IEnumerable<ForecastPoint> WeeksFromTomorrow(SubjectForecast forecast, int horizon, int percent) =>
        Weeks(forecast, 1, Math.Min(horizon + 1, forecast.Forecast.Days.Count), percent);

    /// <summary>Monday to Sunday.</summary>
    private static IEnumerable<ForecastPoint> Weeks(SubjectForecast forecast, int from, int end, int percent)
    {
        for (int i = from, days; i < end; i += days)
        {
            var first = forecast.Forecast.Days[i].Day;
            days = Math.Min(end - i, first.DayOfWeek == DayOfWeek.Sunday ? 1 : 8 - (int)first.DayOfWeek);
            var week = forecast.Forecast.Days.Skip(i).Take(days);
            var (lower, upper) = forecast.Forecast.IntervalOfSum(i, days, percent);
            yield return new(first, null, days, week.Sum(day => day.Value), lower, upper, week.Any(day => day.IsOpen), forecast.Booked(first, first.AddDays(days)));
        }
    }

    /// <summary>
    /// A day's visits fall on its hours each for itself, and all hours share what the day may bring more or less than expected:
    /// the variance is what chance adds to the hour's mean, and the hour's share of what the day scatters beyond chance.
    /// </summary>
    private static IEnumerable<ForecastPoint> Hours(SubjectForecast forecast, int horizon, int percent)
    {
        var profile = HourlyProfile.Of(forecast.Counts.Hours(forecast.Measure).Where(cell => cell.Day < forecast.Today), forecast.Today.AddDays(-HourlyHistoryDays));
        var booked = forecast.Counts.Hours(LoadMeasure.Booked).Where(cell => cell.Day >= forecast.Today).GroupBy(cell => (cell.Day, cell.Hour)).ToDictionary(cell => cell.Key, cell => (int)cell.Sum(state => state.Count));
        for (var i = 0; i < horizon; i++)
        {
            var day = forecast.Forecast.Days[i];
            var hours = profile.Spread(day.Day.DayOfWeek, day.Value);
            var deviation = (forecast.Forecast.Interval(i, 80).Upper - day.Value) / DeviationsAt80;
            var beyondChance = Math.Max(0, (deviation * deviation) - day.Value);
            for (var hour = 0; hour < hours.Length; hour++)
            {
                if (hours[hour] == 0 && !booked.ContainsKey((day.Day, hour)))
                {
                    continue; // nobody ever comes then
                }
                var share = day.Value > 0 ? hours[hour] / day.Value : 0;
                var (lower, upper) = CountQuantiles.Central(hours[hour], hours[hour] + (share * share * beyondChance), percent);
                yield return new(day.Day, hour, 1, hours[hour], lower, upper, day.IsOpen, booked.GetValueOrDefault((day.Day, hour)));
            }
        }
    }
}
