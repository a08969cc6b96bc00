namespace Forecasting.Daily;

/// <summary>Half-widths of intervals for whole percents of confidence, in units of √(expected count), by how far ahead they look.</summary>
/// <param name="Bounds">Days ahead at which the next row begins.</param>
/// <param name="Factors">A row for each group of days ahead, a column for each of <see cref="Percents"/>.</param>
public sealed record IntervalTable(int[] Bounds, double[][] Factors)
{
    /// <summary>What may be asked for: 50 to 99.</summary>
    public static readonly IEnumerable<int> Percents = Enumerable.Range(Lowest, Highest - Lowest + 1);

    public const int Lowest = 50, Highest = 99;

    /// <param name="ahead">Days ahead; 0 the first.</param>
    /// <param name="forecast">Expected count.</param>
    /// <param name="percent">One of <see cref="Percents"/>.</param>
    public double HalfWidth(int ahead, double forecast, int percent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(percent, Lowest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, Highest);
        return Factors[ConformalIntervals.Group(Bounds, ahead)][percent - Lowest] * ConformalIntervals.Unit(forecast);
    }
}
