using CsCheck;
using Forecasting.Daily;
using Forecasting.Hierarchy;
using Forecasting.Tests.Daily;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Forecasting.Tests.Hierarchy;

public sealed class ReconciliationTests
{
    /// <summary>Parents by a number each: node i hangs below one of the nodes before it.</summary>
    private static readonly Gen<int[]> AnyTree = Gen.Int[0, 1000].Array[0, 12].Select(seeds => (int[])[-1, .. seeds.Select((seed, i) => seed % (i + 1))]);

    private static Gen<(int[] Parents, double[] Forecasts, double[] Variances)> Any(Gen<double> forecast, Gen<double> variance) =>
        AnyTree.SelectMany(tree => Gen.Select(Gen.Const(tree), forecast.Array[tree.Length], variance.Array[tree.Length]));

    [Fact]
    public void Reconcile_Anything_AddsUpAndIsNotNegative() => Any(Gen.Double[0, 100], Gen.OneOf(Gen.Const(0.0), Gen.Double[0, 50])).Sample((parents, forecasts, variances) =>
    {
        var values = TreeReconciliation.Reconcile(parents, forecasts, variances);
        Assert.All(values, value => Assert.True(double.IsFinite(value) && value >= 0));
        foreach (var parts in Enumerable.Range(1, parents.Length - 1).GroupBy(node => parents[node]))
        {
            Assert.Equal(parts.Sum(part => values[part]), values[parts.Key], 1e-9);
        }
    });

    /// <summary>The textbook's matrices: S (SᵀW⁻¹S)⁻¹ SᵀW⁻¹ f, where no value comes near zero.</summary>
    [Fact]
    public void Reconcile_ForecastsFarFromZero_IsGeneralisedLeastSquares() => Any(Gen.Double[-3, 3], Gen.Double[0.1, 5]).Sample((parents, noise, variances) =>
    {
        var leaves = Enumerable.Range(0, parents.Length).Where(node => !parents.Contains(node)).ToArray();
        bool Holds(int node, int leaf) => leaf == node || (leaf > 0 && Holds(node, parents[leaf]));
        var sums = DenseMatrix.Create(parents.Length, leaves.Length, (node, leaf) => Holds(node, leaves[leaf]) ? 1 : 0);
        var forecasts = DenseVector.Create(parents.Length, node => (100 * sums.Row(node).Sum()) + noise[node]);
        var weights = DiagonalMatrix.OfDiagonal(parents.Length, parents.Length, variances.Select(variance => 1 / variance));
        var expected = sums * (sums.TransposeThisAndMultiply(weights) * sums).Solve(sums.TransposeThisAndMultiply(weights) * forecasts);

        var values = TreeReconciliation.Reconcile(parents, forecasts.ToArray(), variances);

        Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 1e-8));
    });

    [Fact]
    public void Reconcile_CertainPart_KeepsItsValueAndTheOthersGiveWay() =>
        Assert.Equal([16.0, 0, 16], TreeReconciliation.Reconcile([-1, 0, 0], [20, 0, 12], [4, 0, 4]));

    [Fact]
    public void Reconcile_PartThatWouldTurnNegative_StopsAtZero() =>
        Assert.Equal([2.0, 0, 2], TreeReconciliation.Reconcile([-1, 0, 0], [2, 1, 10], [0, 9, 4]), (expected, actual) => Math.Abs(expected - actual) < 1e-9);

    [Fact]
    public void Reconcile_ParentAfterItsPart_IsRefused() =>
        Assert.Throws<ArgumentException>(() => TreeReconciliation.Reconcile([-1, 2, 0], [1, 1, 1], [1, 1, 1]));

    [Fact]
    public void Reconciled_ClinicOfPractitioners_EveryDayAddsUpAndWhatAgreedIsLeftAlone()
    {
        var calendar = Loads.WorkingWeek;
        LoadNode Leaf(int seed) => new($"practitioner {seed}", DailyForecaster.Forecast(Loads.Clinic(500, seed), calendar, 28), []);
        LoadNode Sum(string name, params LoadNode[] parts) => new(name, DailyForecaster.Forecast(Loads.Clinic(500, name.Length, day => parts.Length * Loads.Mean(day)), calendar, 28), parts);
        var clinic = Sum("clinic", Sum("first location", Leaf(1), Leaf(2)), Sum("other location", Leaf(3)));

        var reconciled = clinic.Reconciled();

        Assert.All(Enumerable.Range(0, 28), day =>
        {
            var locations = reconciled.Parts.Select(part => part.Forecast.Days[day].Value).ToArray();
            Assert.Equal(reconciled.Forecast.Days[day].Value, locations.Sum(), 1e-9);
            Assert.Equal(locations[0], reconciled.Parts[0].Parts.Sum(part => part.Forecast.Days[day].Value), 1e-9);
            Assert.Equal(calendar.IsOpen(clinic.Forecast.Days[day].Day), reconciled.Forecast.Days[day].Value > 0);
        });
        Assert.True(reconciled.Forecast.Doubts.HasFlag(Doubts.Reconciled));
        var again = reconciled.Reconciled();
        Assert.All(reconciled.Forecast.Days.Zip(again.Forecast.Days), pair => Assert.Equal(pair.First.Value, pair.Second.Value, 1e-9));
    }

    [Fact]
    public void Reconciled_ForecastsOfOtherDays_AreRefused()
    {
        LoadNode Of(int days, params LoadNode[] parts) => new("", DailyForecaster.Forecast(Loads.Clinic(days, 1), ServiceCalendar.AlwaysOpen, 7), parts);

        Assert.Throws<ArgumentException>(() => Of(100, Of(101)).Reconciled());
    }
}
