using Forecasting.Daily;

namespace Forecasting.Tests.Daily;

/// <summary>Made-up loads.</summary>
internal static class Loads
{
    /// <summary>A Monday.</summary>
    public static readonly DateOnly Monday = new(2024, 1, 1);

    public static ServiceCalendar WorkingWeek { get; } = new() { ClosedWeekdays = new HashSet<DayOfWeek> { DayOfWeek.Saturday, DayOfWeek.Sunday } };

    public static DailySeries Of(int days, Func<int, double> count) => new(Monday, Enumerable.Range(0, days).Select(count).ToArray());

    /// <summary>Visits that know nothing of each other: weekdays between 12 and 24, a yearly wave.</summary>
    public static DailySeries Clinic(int days, int seed, Func<int, double>? shape = null)
    {
        var random = new Random(seed);
        return Of(days, day => Poisson(random, shape?.Invoke(day) ?? Mean(day)));
    }

    public static double Mean(int day) => (12 + (2 * (day % 7))) * (1 + (0.15 * Math.Sin(2 * Math.PI * day / 365)));

    private static double Poisson(Random random, double mean)
    {
        var (count, left) = (-1, mean);
        for (; left > 0; count++)
        {
            left += Math.Log(1 - random.NextDouble());
        }
        return count;
    }
}
