using MathNet.Numerics;

namespace Forecasting.Serving;

/// <summary>Quantiles of a count that scatters at least as chance alone would have it: negative binomial, of which Poisson is the edge.</summary>
internal static class CountQuantiles
{
    /// <summary>Above this a normal distribution is as good, and quicker.</summary>
    private const double Large = 1_000;

    /// <param name="mean">≥ 0.</param>
    /// <param name="variance">Below the mean it is the mean.</param>
    /// <param name="percent">Of the values that lie between, 50…99.</param>
    public static (double Lower, double Upper) Central(double mean, double variance, int percent)
    {
        var tail = (1 - (percent / 100.0)) / 2;
        return mean <= 0 ? (0, 0) : (Math.Min(mean, Quantile(mean, variance, tail)), Math.Max(mean, Quantile(mean, variance, 1 - tail)));
    }

    private static double Quantile(double mean, double variance, double share)
    {
        variance = Math.Max(variance, mean);
        if (mean > Large)
        {
            return Math.Max(0, mean + (Math.Sqrt(variance) * MathNet.Numerics.Distributions.Normal.InvCDF(0, 1, share)));
        }
        // Successes until `size` failures; as size grows, Poisson. Summed from zero: the mean is small.
        var size = variance - mean < 1e-9 * mean ? double.PositiveInfinity : mean * mean / (variance - mean);
        var sum = 0.0;
        for (var count = 0; ; count++)
        {
            sum += Math.Exp(LogProbability(count, mean, size));
            if (sum >= share || count > (20 * mean) + (100 * Math.Sqrt(variance)) + 100)
            {
                return count;
            }
        }
    }

    private static double LogProbability(int count, double mean, double size) => double.IsPositiveInfinity(size)
        ? (count * Math.Log(mean)) - mean - SpecialFunctions.GammaLn(count + 1)
        : SpecialFunctions.GammaLn(count + size) - SpecialFunctions.GammaLn(size) - SpecialFunctions.GammaLn(count + 1)
            + (size * Math.Log(size / (size + mean))) + (count * Math.Log(mean / (size + mean)));
}
