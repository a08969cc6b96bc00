using CsCheck;
using Forecasting.Serving;
using MathNet.Numerics.Distributions;

namespace Forecasting.Tests.Serving;

public sealed class CountQuantilesTests
{
    /// <summary>MathNet's distributions are the oracle.</summary>
    [Fact]
    public void Central_AnyCount_HoldsItsShareAndNotMuchMore() => Gen.Select(Gen.Double[0.5, 60], Gen.Double[1.001, 4], Gen.Int[50, 99]).Sample((mean, spread, percent) =>
    {
        var (lower, upper) = CountQuantiles.Central(mean, spread * mean, percent);
        var size = mean / (spread - 1);
        var distribution = new NegativeBinomial(size, size / (size + mean));
        var tail = (1 - (percent / 100.0)) / 2;

        Assert.True(upper >= mean && lower <= mean);
        Assert.True(upper == mean || (distribution.CumulativeDistribution(upper) >= 1 - tail - 1e-9 && distribution.CumulativeDistribution(upper - 1) < 1 - tail + 1e-9));
        Assert.True(lower == mean || (distribution.CumulativeDistribution(lower) >= tail - 1e-9 && (lower == 0 || distribution.CumulativeDistribution(lower - 1) < tail + 1e-9)));
    }, iter: 300);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.05, 0)] // less than chance scatters: Poisson
    [InlineData(1e-300, 1)]
    [InlineData(1e12, 1e13)]
    [InlineData(900, 1e9)]
    public void Central_AtTheEdges_IsFiniteAndHoldsTheMean(double mean, double variance)
    {
        var (lower, upper) = CountQuantiles.Central(mean, variance, 95);

        Assert.InRange(mean, lower, upper);
        Assert.True(lower >= 0 && double.IsFinite(upper));
    }
}
