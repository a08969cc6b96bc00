namespace Forecasting.Daily;

/// <summary>What each weekday adds to the level of its week: deviations from a centred mean over one week, averaged over the last half year.</summary>
internal static class WeekdayProfile
{
    private const int Weeks = 26;

    /// <param name="values">Open days only, oldest first.</param>
    /// <param name="weekdays">The weekday of each, 0…6.</param>
    /// <param name="perWeek">Open days a week.</param>
    /// <returns>Seven additions whose sum over the weekdays seen is zero.</returns>
    public static double[] Of(ReadOnlySpan<double> values, ReadOnlySpan<byte> weekdays, int perWeek)
    {
        var sums = new double[7];
        var counts = new int[7];
        var half = perWeek / 2;
        for (var i = values.Length - 1 - half; i >= half && i >= values.Length - 1 - half - (perWeek * (Weeks + 1)); i--)
        {
            var weekday = weekdays[i];
            if (counts[weekday] == Weeks)
            {
                continue;
            }
            var mean = 0.0;
            for (var j = i - half; j <= i + half; j++)
            {
                // An even week has no middle: both ends of the odd span count half.
                mean += perWeek % 2 == 0 && (j == i - half || j == i + half) ? values[j] / 2 : values[j];
            }
            sums[weekday] += values[i] - (mean / perWeek);
            counts[weekday]++;
        }
        var seen = 0;
        var total = 0.0;
        for (var d = 0; d < 7; d++)
        {
            if (counts[d] > 0)
            {
                sums[d] /= counts[d];
                total += sums[d];
                seen++;
            }
        }
        for (var d = 0; d < 7; d++)
        {
            sums[d] = counts[d] > 0 ? sums[d] - (total / seen) : 0;
        }
        return sums;
    }
}
