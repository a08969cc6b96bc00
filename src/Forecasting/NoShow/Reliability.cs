using System.Collections.Immutable;

namespace Forecasting.NoShow;

/// <summary>How good estimated chances turned out to be, on visits that nothing was learned from.</summary>
/// <param name="Visits">Measured on.</param>
/// <param name="Brier">Mean squared difference of chance and outcome.</param>
/// <param name="BrierOfRate">The same of always saying the usual share.</param>
/// <param name="LogLoss">Mean negative logarithm of the chance given to what happened.</param>
/// <param name="Auc">Chance that of a missed and a kept visit the missed one was given the higher risk.</param>
/// <param name="CalibrationError">Mean distance of what was said and what happened, over tenths of the visits.</param>
/// <param name="ChanceError">What that distance would be by chance, if every estimate were right.</param>
/// <param name="Bins">Tenths of the visits, lowest risk first.</param>
public sealed record Reliability(int Visits, double Brier, double BrierOfRate, double LogLoss, double Auc, double CalibrationError, double ChanceError, ImmutableArray<ReliabilityBin> Bins)
{
    private const int BinCount = 10;

    internal static Reliability Of(IReadOnlyList<(double Chance, bool Missed)> estimates, double rate)
    {
        var sorted = estimates.OrderBy(one => one.Chance).ToArray();
        var bins = ImmutableArray.CreateBuilder<ReliabilityBin>(BinCount);
        for (var i = 0; i < BinCount; i++)
        {
            var bin = sorted[(sorted.Length * i / BinCount)..(sorted.Length * (i + 1) / BinCount)];
            if (bin.Length > 0)
            {
                bins.Add(new(bin.Length, bin.Average(one => one.Chance), bin.Average(one => one.Missed ? 1.0 : 0)));
            }
        }
        return new(
            sorted.Length,
            sorted.Average(one => Square(one.Chance - (one.Missed ? 1 : 0))),
            sorted.Average(one => Square(rate - (one.Missed ? 1 : 0))),
            sorted.Average(one => -Math.Log(Math.Clamp(one.Missed ? one.Chance : 1 - one.Chance, 1e-9, 1))),
            AucOf(sorted),
            bins.Sum(bin => bin.Visits * Math.Abs(bin.Said - bin.Happened)) / sorted.Length,
            bins.Sum(bin => bin.Visits * Math.Sqrt(2 / Math.PI * bin.Said * (1 - bin.Said) / bin.Visits)) / sorted.Length,
            bins.DrainToImmutable());
    }

    /// <summary>By ranks; equal chances share theirs.</summary>
    private static double AucOf((double Chance, bool Missed)[] sorted)
    {
        var (ranks, missed) = (0.0, 0);
        for (var i = 0; i < sorted.Length;)
        {
            var end = i;
            while (end < sorted.Length && sorted[end].Chance == sorted[i].Chance)
            {
                end++;
            }
            for (var j = i; j < end; j++)
            {
                if (sorted[j].Missed)
                {
                    ranks += (i + end + 1) / 2.0;
                    missed++;
                }
            }
            i = end;
        }
        var kept = sorted.Length - missed;
        return missed == 0 || kept == 0 ? 0.5 : (ranks - (missed * (missed + 1) / 2.0)) / ((double)missed * kept);
    }

    private static double Square(double value) => value * value;
}

/// <param name="Said">Mean chance.</param>
/// <param name="Happened">Share that was missed.</param>
public readonly record struct ReliabilityBin(int Visits, double Said, double Happened);
