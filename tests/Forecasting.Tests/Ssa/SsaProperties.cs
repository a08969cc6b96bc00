using CsCheck;
using Forecasting.Ssa;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Forecasting.Tests.Ssa;

/// <summary>Against the textbook: the trajectory matrix formed whole, its singular value decomposition, averages taken diagonal by diagonal.</summary>
public sealed class SsaProperties
{
    private static readonly Gen<(double[] Series, int Window)> AnySeries = Gen.Select(Gen.Double[-50, 50].Array[6, 40], Gen.Int[2, 39], (series, window) => (series, Math.Min(window, series.Length - 1)));

    [Fact]
    public void Spectrum_AnySeries_IsTheSquaredSingularValues() => AnySeries.Sample((series, window) =>
    {
        var singular = Trajectory(series, window).Svd(computeVectors: false).S;
        var spectrum = SsaDecomposition.Full(series, window).Spectrum;
        for (var i = 0; i < singular.Count; i++)
        {
            Assert.Equal(singular[i] * singular[i], spectrum[i], 1e-9 * Math.Max(1, spectrum[0]));
        }
    }, iter: 200);

    [Fact]
    public void Reconstruct_LeadingComponents_AsTheDenseDecomposition() => Gen.Select(AnySeries, Gen.Int[1, 5]).Sample((any, rank) =>
    {
        var (series, window) = any;
        var svd = Trajectory(series, window).Svd();
        rank = Math.Min(rank, svd.S.Count);
        if (rank < svd.S.Count && svd.S[rank - 1] - svd.S[rank] < 1e-3 * svd.S[0])
        {
            return; // which of two equal components comes first is nobody's promise
        }
        var ours = SsaDecomposition.Full(series, window).Reconstruct([.. Enumerable.Range(0, rank)]);
        Close(DiagonalMeans(svd.U.SubMatrix(0, window, 0, rank) * DiagonalMatrix.OfDiagonal(rank, rank, svd.S.Take(rank)) * svd.VT.SubMatrix(0, rank, 0, svd.VT.ColumnCount)), ours, 1e-8 * 50);
    }, iter: 200);

    [Fact]
    public void Reconstruct_AllComponents_IsTheSeries() => AnySeries.Sample((series, window) =>
        Close(series, SsaDecomposition.Full(series, window).Reconstruct([.. Enumerable.Range(0, window)]), 1e-9 * 50), iter: 200);

    [Fact]
    public void ReconstructTail_AnyLength_IsTheEndOfTheWhole() => Gen.Select(AnySeries, Gen.Int[1, 40]).Sample((any, length) =>
    {
        var ssa = SsaDecomposition.Full(any.Series, any.Window);
        length = Math.Min(length, any.Series.Length);
        Close(ssa.Reconstruct(0)[^length..], ssa.ReconstructTail(length, [0]), 1e-9 * 50);
    }, iter: 200);

    [Fact]
    public void Leading_LongWindow_SameAsTheWholeDecomposition() => Gen.Select(Gen.Int[0, 1000], Gen.Int[60, 110], Gen.Int[1, 4]).Sample((seed, window, rank) =>
    {
        var series = Noisy(seed, 260);
        var (whole, part) = (SsaDecomposition.Full(series, window), SsaDecomposition.Leading(series, window, rank));
        if (whole.Spectrum[rank - 1] - whole.Spectrum[rank] < 1e-3 * whole.Spectrum[rank])
        {
            return;
        }
        int[] components = [.. Enumerable.Range(0, rank)];
        Assert.Equal(rank, part.Count);
        Close([.. whole.Spectrum.Take(rank).Select(value => value / whole.Spectrum[0])], [.. part.Spectrum.Select(value => value / whole.Spectrum[0])], 1e-9);
        Close(whole.Reconstruct(components), part.Reconstruct(components), 1e-4);
    }, iter: 40);

    /// <summary>Both components of a sine have the same eigenvalue when window and columns hold whole periods: a search along one vector would find one of them.</summary>
    [Fact]
    public void Leading_TwoEqualEigenvalues_FindsBoth()
    {
        var sine = Enumerable.Range(0, 239).Select(t => Math.Sin(2 * Math.PI * t / 12)).ToArray();

        var ssa = SsaDecomposition.Leading(sine, 120, 2);

        Assert.Equal(ssa.Spectrum[0], ssa.Spectrum[1], 1e-6 * ssa.Spectrum[0]);
        Close(sine, ssa.Reconstruct(0, 1), 1e-9);
    }

    /// <summary>A sum of growing or fading waves obeys a linear recurrence; SSA of its rank continues it exactly, whichever way.</summary>
    [Fact]
    public void Forecast_SeriesOfARecurrence_ContinuesItExactly() =>
        Gen.Select(Gen.Double[0.25, 1.2], Gen.Double[1.6, 2.8], Gen.Double[0.98, 1.01], Gen.Double[0.98, 1.01], Gen.Double[-3, 3], Gen.Int[12, 30])
        .Sample((slow, fast, growth, other, phase, window) =>
        {
            double Value(int t) => (Math.Pow(growth, t) * Math.Cos((slow * t) + phase)) + (2 * Math.Pow(other, t) * Math.Cos(fast * t)) + 3;
            double[] series = [.. Enumerable.Range(0, 70).Select(Value)];
            double[] future = [.. Enumerable.Range(70, 15).Select(Value)];
            var ssa = SsaDecomposition.Full(series, window);
            Close(future, ssa.ForecastRecurrent(15, fromOriginal: false, 0, 1, 2, 3, 4)!, 1e-5);
            Close(future, ssa.ForecastRecurrent(15, fromOriginal: true, 0, 1, 2, 3, 4)!, 1e-5);
            Close(future, ssa.ForecastVector(15, 0, 1, 2, 3, 4)!, 1e-5);
        }, iter: 100);

    [Fact]
    public void Forecast_SeriesTimesAFactor_IsTheForecastTimesTheFactor() => Gen.Select(Gen.Int[0, 1000], Gen.Int[-8, 8]).Sample((seed, power) =>
    {
        var series = Noisy(seed, 120);
        var factor = Math.Pow(2, power);
        var scaled = series.Select(value => value * factor).ToArray();
        Close([.. SsaDecomposition.Full(series, 20).ForecastVector(10, 0, 1)!.Select(value => value * factor)], SsaDecomposition.Full(scaled, 20).ForecastVector(10, 0, 1)!, 1e-9 * factor);
    }, iter: 50);

    [Fact]
    public void Damped_GrowingSignal_StaysWhereItIs()
    {
        var growing = Enumerable.Range(0, 100).Select(t => Math.Pow(1.05, t) * Math.Cos(t / 3.0)).ToArray();
        var shift = SignalShift.Of([.. SsaDecomposition.Full(growing, 30).Directions.Take(2)])!;

        var damped = shift.Damped(1)!;

        Assert.Equal(1.05, shift.Growth, 1e-9);
        Assert.Equal(1, damped.Growth, 1e-9);
        Assert.All(damped.Continue(growing, 500), value => Assert.True(Math.Abs(value) < 2 * growing.Max()));
    }

    [Fact]
    public void Recurrence_ComponentsThatHoldTheLastAxis_IsNone() =>
        Assert.Null(SsaDecomposition.Full([0, 0, 0, 0, 0, 0, 0, 5], 3).Recurrence(0));

    private static double[] Noisy(int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(t => 20 + (5 * Math.Sin(t / 9.0)) + (0.02 * t) + random.NextDouble())];
    }

    private static DenseMatrix Trajectory(double[] series, int window) => DenseMatrix.Create(window, series.Length - window + 1, (i, j) => series[i + j]);

    private static double[] DiagonalMeans(MathNet.Numerics.LinearAlgebra.Matrix<double> matrix) =>
        [.. matrix.EnumerateIndexed().GroupBy(entry => entry.Item1 + entry.Item2).OrderBy(group => group.Key).Select(group => group.Average(entry => entry.Item3))];

    private static void Close(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}
