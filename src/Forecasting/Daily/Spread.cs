namespace Forecasting.Daily;

/// <summary>How far days scatter about their weekday's mean, in units of the root of the mean count; 1 is what chance alone does to visits that know nothing of each other.</summary>
internal static class Spread
{
    public static double Of(OpenDays days)
    {
        var values = days.Values.Span;
        var weekdays = days.Weekdays.Span;
        var profile = new WeekdayMean(DailyForecaster.LearningWeeks).Forecast(days, [0, 1, 2, 3, 4, 5, 6]);
        var (squares, sum) = (0.0, 0.0);
        for (var i = 0; i < values.Length; i++)
        {
            var error = values[i] - profile[weekdays[i]];
            squares += error * error;
            sum += values[i];
        }
        return values.Length < 3 ? 1 : Math.Sqrt(squares / (values.Length - 1) / Math.Max(1, sum / values.Length));
    }
}
