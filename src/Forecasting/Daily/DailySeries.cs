namespace Forecasting.Daily;

/// <summary>A count for each day, without a hole between the first and the last. Days whose count is not known hold <see cref="double.NaN"/>.</summary>
/// <param name="Start">The day of the first value.</param>
/// <param name="Values">One a day. Anything that is no count (negative, not finite, above <see cref="Greatest"/>) is treated as not known.</param>
public sealed record DailySeries(DateOnly Start, ReadOnlyMemory<double> Values)
{
    /// <summary>Above this no count is believed; it also keeps every square finite.</summary>
    public const double Greatest = 1e12;

    /// <summary>The first day without a value: where a forecast begins.</summary>
    public DateOnly End => Start.AddDays(Values.Length);

    /// <summary>Orders what is known by day. Days between that nobody counted are not known; of several counts of one day the last one stands.</summary>
    /// <param name="counts">In the order they became known.</param>
    /// <param name="end">The first day that is not complete yet: it and later ones are left out, also when counts name them.</param>
    /// <param name="dropped">Counts that did not make it: of days from <paramref name="end"/> on, replaced ones, and those too old.</param>
    /// <param name="atMost">Days to keep, counted back from <paramref name="end"/>.</param>
    public static DailySeries Gather(IEnumerable<(DateOnly Day, double Count)> counts, DateOnly end, out int dropped, int atMost = 5 * 366)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        var oldest = end.DayNumber - Math.Min(atMost, end.DayNumber);
        var known = new Dictionary<int, double>();
        dropped = 0;
        foreach (var (day, count) in counts)
        {
            if (day >= end || day.DayNumber < oldest || known.ContainsKey(day.DayNumber))
            {
                dropped++;
            }
            if (day < end && day.DayNumber >= oldest)
            {
                known[day.DayNumber] = count;
            }
        }
        var first = known.Count == 0 ? end.DayNumber : known.Keys.Min();
        var values = new double[end.DayNumber - first];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = known.GetValueOrDefault(first + i, double.NaN);
        }
        return new(DateOnly.FromDayNumber(first), values);
    }
}
