namespace Forecasting.Hourly;

/// <summary>How a day's load spreads over its hours, for each weekday. A weekday with few visits leans on what all weekdays have in common.</summary>
/// <remarks>Hours are those of the wall clock, 0…23: the hour that a clock change repeats counts twice in one, the one it skips stays empty for that day.</remarks>
public sealed class HourlyProfile
{
    private const int Hours = 24;

    /// <summary>As many visits of the common shape stand beside a weekday's own.</summary>
    private const double CommonVisits = 50;

    private readonly double[][] _shares;

    private HourlyProfile(double[][] shares) => _shares = shares;

    /// <param name="visits">Counts by wall-clock day and hour; any number of them for the same hour, which add up. Counts that are not finite and positive are left out.</param>
    /// <param name="from">Older days are left out: people change their hours.</param>
    public static HourlyProfile Of(IEnumerable<(DateOnly Day, int Hour, double Count)> visits, DateOnly from)
    {
        var own = Enumerable.Range(0, 7).Select(_ => new double[Hours]).ToArray();
        var common = new double[Hours];
        foreach (var (day, hour, count) in visits)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(hour);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(hour, Hours);
            if (day >= from && count is > 0 and <= Daily.DailySeries.Greatest)
            {
                own[(int)day.DayOfWeek][hour] += count;
                common[hour] += count;
            }
        }
        var all = common.Sum();
        var shape = Array.ConvertAll(common, count => all > 0 ? count / all : 1.0 / Hours);
        return new(Array.ConvertAll(own, counts => counts.Zip(shape, (count, share) => (count + (CommonVisits * share)) / (counts.Sum() + CommonVisits)).ToArray()));
    }

    /// <summary>The day's load by hour: 24 values that are not negative and sum to it.</summary>
    /// <param name="weekday">Whose shape.</param>
    /// <param name="load">Expected visits of the day, finite, ≥ 0.</param>
    /// <param name="openHours">Hours the service works, where that is known; nothing is expected outside.</param>
    public double[] Spread(DayOfWeek weekday, double load, IReadOnlySet<int>? openHours = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(load);
        var open = Enumerable.Range(0, Hours).Where(hour => openHours?.Contains(hour) != false).ToArray();
        var shares = _shares[(int)weekday];
        var sum = open.Sum(hour => shares[hour]);
        var spread = new double[Hours];
        foreach (var hour in open)
        {
            spread[hour] = sum > 0 ? load * (shares[hour] / sum) : load / open.Length; // hours never worked before: nothing to tell them apart
        }
        return spread;
    }
}
