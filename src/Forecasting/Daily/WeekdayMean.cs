using MathNet.Numerics.Statistics;

namespace Forecasting.Daily;

/// <summary>The mean of the same weekday over the last weeks: hard to beat, and what every other method is measured against.</summary>
internal sealed class WeekdayMean(int weeks) : IMethod
{
    public string Name => $"weekday mean, {weeks} weeks";

    public int MinimumWeeks => 1;

    public double[] Forecast(OpenDays past, ReadOnlySpan<byte> ahead)
    {
        var values = past.Values.Span;
        var weekdays = past.Weekdays.Span;
        Span<double> sums = stackalloc double[7];
        Span<int> counts = stackalloc int[7];
        sums.Clear();
        counts.Clear();
        for (var i = values.Length - 1; i >= 0 && i >= values.Length - (weeks * 7); i--)
        {
            var weekday = weekdays[i];
            if (counts[weekday] < weeks)
            {
                sums[weekday] += values[i];
                counts[weekday]++;
            }
        }
        var overall = ArrayStatistics.Mean(values[^Math.Min(values.Length, weeks * past.PerWeek)..].ToArray());
        var forecast = new double[ahead.Length];
        for (var h = 0; h < ahead.Length; h++)
        {
            forecast[h] = counts[ahead[h]] > 0 ? sums[ahead[h]] / counts[ahead[h]] : overall;
        }
        return forecast;
    }
}
