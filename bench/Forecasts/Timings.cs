using System.Diagnostics;
using Forecasting.Daily;
using Forecasting.Ssa;

namespace Forecasts;

/// <summary>What forecasts cost one core, after a warm-up; the medians of several runs.</summary>
internal static class Timings
{
    public static IEnumerable<(string What, string Aim, Cost Cost)> Measure(DailySeries days)
    {
        var twoYears = new DailySeries(days.End.AddDays(-728), days.Values[^728..]);
        yield return ("728 days → 28 days ahead, whole recipe with its trial on the past", "60 ms", Median(15, () => DailyForecaster.Forecast(twoYears, ServiceCalendar.AlwaysOpen, 28)));
        yield return ("the same with five years at hand", "60 ms", Median(15, () => DailyForecaster.Forecast(days, ServiceCalendar.AlwaysOpen, 28)));

        var hours = Enumerable.Range(0, 9000).Select(t => 20 + (8 * Math.Sin(2 * Math.PI * t / 24)) + (3 * Math.Sin(2 * Math.PI * t / 168)) + Jitter(t)).ToArray();
        yield return ("9,000 values, window 336, 20 leading components, 336 values ahead", "300 ms", Median(5, () => SsaDecomposition.Leading(hours, 336, 20).ForecastVector(336, [.. Enumerable.Range(0, 20)])));
        yield return ("9,000 values, window 336, all components, 336 values ahead with 20", "300 ms", Median(5, () => SsaDecomposition.Full(hours, 336).ForecastVector(336, [.. Enumerable.Range(0, 20)])));

        var clinics = Enumerable.Range(0, 100).Select(i => LoadSeries.Thinned(twoYears, 0.05 + (0.002 * i), i)).ToArray();
        yield return ("1,000 series of two years (100 different ones, ten times), 28 days ahead each", "60 s", Median(1, () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                DailyForecaster.Forecast(clinics[i % clinics.Length], ServiceCalendar.AlwaysOpen, 28);
            }
        }));

        var million = new DailySeries(new DateOnly(1, 1, 1), Enumerable.Range(0, 1_000_000).Select(t => 20 + Jitter(t)).ToArray());
        yield return ("a million days → 28 days ahead", "60 ms", Median(5, () => DailyForecaster.Forecast(million, ServiceCalendar.AlwaysOpen, 28)));
    }

    private static double Jitter(int t) => (t * 2654435761L % 1000 / 100.0) - 5;

    private static Cost Median(int runs, Action work)
    {
        if (runs > 1)
        {
            work(); // a single run comes late and finds its code warm
        }
        var costs = new Cost[runs];
        for (var i = 0; i < runs; i++)
        {
            var (begin, busy) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            work();
            costs[i] = new((Environment.CpuUsage.TotalTime - busy).TotalMilliseconds, Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        }
        return new(Middle(cost => cost.Processor), Middle(cost => cost.Elapsed));

        double Middle(Func<Cost, double> of) => costs.Select(of).Order().ElementAt(runs / 2);
    }
}

/// <summary>Milliseconds of the processor, and on the clock: a busy machine stretches the second.</summary>
internal readonly record struct Cost(double Processor, double Elapsed);
