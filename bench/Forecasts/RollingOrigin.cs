using Forecasting.Daily;
using Forecasting.MlNet;

namespace Forecasts;

/// <summary>Values for the open days ahead, and intervals where the method has any: (lower, upper) at 80 and 95 %.</summary>
/// <param name="Weeks80">Of the sums of four weeks.</param>
internal sealed record Guess(
    double[] Values, (double Lower, double Upper)[]? At80 = null, (double Lower, double Upper)[]? At95 = null, (double Lower, double Upper)[]? Weeks80 = null, (double Lower, double Upper)[]? Weeks95 = null);

/// <summary>One line of the table. Errors in units of the in-sample error of the weekday's last value.</summary>
internal sealed record Accuracy(string Method, double Week, double Month, double? Covered80, double? Covered95, double? Weeks80, double? Weeks95);

/// <summary>
/// The protocol: origins every 14 days through a year, 28 days ahead of each, nothing after an origin known to it. MASE per origin against the naive error of the 728 days before it; the mean over origins.
/// </summary>
internal static class RollingOrigin
{
    private const int Ahead = 28, Learned = 728, Year = 364, Step = 14;

    /// <param name="yearsBack">0 the last year of the series, 1 the one before.</param>
    public static IEnumerable<Accuracy> Measure(LoadSeries series, int yearsBack) =>
        new (string Name, Func<DailySeries, Guess> Guess)[]
        {
            ("ours", past => Ours(past, series.Calendar)),
            ("ours, told 728 days only", past => Ours(Last(past, Learned), series.Calendar)),
            ("ours, told 112 days only", past => Ours(Last(past, 112), series.Calendar)),
            ("ML.NET mode, window 28, Exact", past => MlNet(past, series.Calendar)),
            ("same weekday, mean of 8 weeks", past => new(WeekdayMean(past, series.Calendar, 8))),
            ("seasonal naive", past => new(WeekdayMean(past, series.Calendar, 1))),
        }.Select(method => Mean([.. series.Draws.Select(days => Measure(days, series.Calendar, yearsBack, method.Name, method.Guess))]));

    private static Accuracy Mean(Accuracy[] draws)
    {
        double? Of(Func<Accuracy, double?> figure) => draws.Average(figure);
        return new(draws[0].Method, draws.Average(draw => draw.Week), draws.Average(draw => draw.Month), Of(draw => draw.Covered80), Of(draw => draw.Covered95), Of(draw => draw.Weeks80), Of(draw => draw.Weeks95));
    }

    private static Accuracy Measure(DailySeries days, ServiceCalendar calendar, int yearsBack, string name, Func<DailySeries, Guess> guess)
    {
        var values = days.Values.ToArray();
        var end = values.Length - (Year * yearsBack);
        var (week, month, origins) = (0.0, 0.0, 0);
        var (inside80, inside95, measured, hasIntervals) = (0, 0, 0, false);
        var (weeks80, weeks95, weeks) = (0, 0, 0);
        for (var origin = end - Year; origin + Ahead <= end; origin += Step)
        {
            var past = days with { Values = values.AsMemory(0, origin) };
            var open = Enumerable.Range(origin, Ahead).Where(i => calendar.IsOpen(days.Start.AddDays(i))).ToArray();
            var made = guess(past);
            var errors = open.Select((i, h) => Math.Abs(values[i] - made.Values[h])).ToArray();
            var scale = NaiveError(past, calendar);
            week += errors.Where((_, h) => open[h] < origin + 7).Average() / scale;
            month += errors.Average() / scale;
            origins++;
            if (made is { At80: { } at80, At95: { } at95 })
            {
                hasIntervals = true;
                measured += open.Length;
                inside80 += open.Where((i, h) => values[i] >= at80[h].Lower && values[i] <= at80[h].Upper).Count();
                inside95 += open.Where((i, h) => values[i] >= at95[h].Lower && values[i] <= at95[h].Upper).Count();
            }
            if (made is { Weeks80: { } of80, Weeks95: { } of95 })
            {
                for (var i = 0; i < of80.Length; i++, weeks++)
                {
                    var sum = open.Where(day => (day - origin) / 7 == i).Sum(day => values[day]);
                    weeks80 += sum >= of80[i].Lower && sum <= of80[i].Upper ? 1 : 0;
                    weeks95 += sum >= of95[i].Lower && sum <= of95[i].Upper ? 1 : 0;
                }
            }
        }
        return new(name, week / origins, month / origins, hasIntervals ? inside80 / (double)measured : null, hasIntervals ? inside95 / (double)measured : null,
            weeks > 0 ? weeks80 / (double)weeks : null, weeks > 0 ? weeks95 / (double)weeks : null);
    }

    private static Guess Ours(DailySeries past, ServiceCalendar calendar)
    {
        var forecast = DailyForecaster.Forecast(past, calendar, Ahead);
        var open = Enumerable.Range(0, Ahead).Where(h => forecast.Days[h].IsOpen).ToArray();
        return new([.. open.Select(h => forecast.Days[h].Value)], [.. open.Select(h => forecast.Interval(h, 80))], [.. open.Select(h => forecast.Interval(h, 95))],
            Weeks(80), Weeks(95));

        (double, double)[] Weeks(int percent) => [.. Enumerable.Range(0, Ahead / 7).Select(week => forecast.IntervalOfSum(7 * week, 7, percent))];
    }

    /// <summary>As ML.NET's documentation does it: the values in a row, closed days left out, a window of four weeks.</summary>
    private static Guess MlNet(DailySeries past, ServiceCalendar calendar)
    {
        var values = OpenValues(Last(past, Learned), calendar);
        var perWeek = 7 - calendar.ClosedWeekdays.Count;
        var model = MlNetSsa.Fit(values.Select(value => (float)value.Count), new(4 * perWeek, values.Length, values.Length));
        var (at80, at95) = (model.Forecast(4 * perWeek, 0.80), model.Forecast(4 * perWeek, 0.95));
        return new([.. at95.Values], [.. at80.Lower.Zip(at80.Upper, (lower, upper) => ((double)lower, (double)upper))], [.. at95.Lower.Zip(at95.Upper, (lower, upper) => ((double)lower, (double)upper))]);
    }

    /// <summary>Written on its own, so that the room's own mean is not its own judge.</summary>
    private static double[] WeekdayMean(DailySeries past, ServiceCalendar calendar, int weeks)
    {
        var known = OpenValues(past, calendar).GroupBy(value => value.Day.DayOfWeek).ToDictionary(group => group.Key, group => group.TakeLast(weeks).Average(value => value.Count));
        return [.. Enumerable.Range(0, Ahead).Select(past.End.AddDays).Where(calendar.IsOpen).Select(day => known[day.DayOfWeek])];
    }

    private static double NaiveError(DailySeries past, ServiceCalendar calendar) =>
        OpenValues(Last(past, Learned), calendar).GroupBy(value => value.Day.DayOfWeek)
            .SelectMany(group => group.Zip(group.Skip(1), (before, after) => Math.Abs(after.Count - before.Count))).Average();

    private static (DateOnly Day, double Count)[] OpenValues(DailySeries past, ServiceCalendar calendar) =>
        [.. past.Values.ToArray().Select((count, i) => (Day: past.Start.AddDays(i), count)).Where(value => calendar.IsOpen(value.Day))];

    private static DailySeries Last(DailySeries past, int days) => new(past.End.AddDays(-days), past.Values[^days..]);
}
