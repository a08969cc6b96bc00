namespace Forecasting.NoShow;

/// <summary>How many of some independent visits take place: exact, by adding one after another.</summary>
public static class PoissonBinomial
{
    /// <param name="chances">That each takes place, 0…1.</param>
    /// <returns>For each number of visits from 0 to all, the chance that just so many take place.</returns>
    public static double[] Distribution(ReadOnlySpan<double> chances)
    {
        var distribution = new double[chances.Length + 1];
        distribution[0] = 1;
        for (var n = 0; n < chances.Length; n++)
        {
            var chance = chances[n];
            ArgumentOutOfRangeException.ThrowIfNegative(chance);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(chance, 1);
            for (var k = n + 1; k > 0; k--)
            {
                distribution[k] = (distribution[k] * (1 - chance)) + (distribution[k - 1] * chance);
            }
            distribution[0] *= 1 - chance;
        }
        return distribution;
    }

    /// <summary>Chance that more than <paramref name="most"/> take place.</summary>
    public static double Above(ReadOnlySpan<double> distribution, int most)
    {
        var above = 0.0;
        for (var k = distribution.Length - 1; k > most && k >= 0; k--)
        {
            above += distribution[k]; // smallest first
        }
        return Math.Min(1, above);
    }

    /// <summary>
    /// How many visits more may be booked so that more than <paramref name="capacity"/> take place with a chance of at most
    /// <paramref name="limit"/>. Whoever is booked on top is taken to come for certain, so the limit holds whoever that is.
    /// </summary>
    /// <param name="chances">That each booked visit takes place.</param>
    public static int MayAdd(ReadOnlySpan<double> chances, int capacity, double limit)
    {
        var distribution = Distribution(chances);
        var more = 0;
        while (more < capacity && Above(distribution, capacity - more - 1) <= limit)
        {
            more++;
        }
        return more;
    }
}
