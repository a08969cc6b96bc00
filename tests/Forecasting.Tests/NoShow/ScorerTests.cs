using Forecasting.NoShow;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;

namespace Forecasting.Tests.NoShow;

public sealed class ScorerTests
{
    private sealed class Row
    {
        [VectorType(NoShowFeatures.Count)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class Scored
    {
        public float Score { get; set; }
    }

    /// <summary>ML.NET itself is the oracle for what was taken out of it.</summary>
    [Fact]
    public void Trees_TakenOutOfMlNet_ScoreAsMlNetDoes()
    {
        var samples = Samples(1_500, 11);
        var context = new MLContext(seed: 1);
        var data = context.Data.LoadFromEnumerable(samples.Select(sample => new Row { Features = sample.Features, Label = sample.Missed }));
        var theirs = context.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options
        {
            NumberOfTrees = 60, NumberOfLeaves = 12, MinimumExampleCountPerLeaf = 25, LearningRate = 0.12, NumberOfThreads = 1, FeatureFraction = 1, Seed = 1,
        }).Fit(data).Transform(data);
        var scores = context.Data.CreateEnumerable<Scored>(theirs, reuseRowObject: false).Select(row => row.Score).ToList();

        var ours = BoostedTrees.Train(samples);

        var additions = new double[NoShowFeatures.Count];
        Assert.All(samples.Zip(scores), pair => Assert.Equal(pair.Second, ours.Score(pair.First.Features, additions), 1e-3));
    }

    [Fact]
    public void Additions_OfEachFeature_SumToTheScore()
    {
        var samples = Samples(1_500, 12);
        var additions = new double[NoShowFeatures.Count];
        foreach (var scorer in (RiskScorer[])[BoostedTrees.Train(samples), LogisticRegression.Train(samples)])
        {
            var offsets = samples.Take(200).Select(sample => scorer.Score(sample.Features, additions) - additions.Sum()).ToList();
            Assert.All(offsets, offset => Assert.Equal(offsets[0], offset, 1e-9));
        }
    }

    [Fact]
    public void LogisticRegression_KnownWeights_AreFound()
    {
        var random = new Random(13);
        var terms = Enumerable.Range(0, 40_000).Select(_ => new[] { random.NextDouble() - 0.5, random.NextDouble() - 0.5 }).ToArray();
        var truths = terms.Select(of => random.NextDouble() < 1 / (1 + Math.Exp(-(-1 + (2 * of[0]) - (1 * of[1])))) ? 1.0 : 0.0).ToArray();

        var weights = LogisticRegression.Newton(terms, truths);

        Assert.Equal(2, weights[0], 0.15);
        Assert.Equal(-1, weights[1], 0.15);
        Assert.Equal(-1, weights[2], 0.05);
    }

    /// <summary>All missed, none missed, every feature the same: a maximum that lies at infinity is not run after.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LogisticRegression_NothingToTellApart_IsFinite(bool missed)
    {
        var scorer = LogisticRegression.Train([.. Enumerable.Repeat((new float[NoShowFeatures.Count], missed), 100)]);

        Assert.True(double.IsFinite(scorer.Score(new float[NoShowFeatures.Count], new double[NoShowFeatures.Count])));
    }

    [Fact]
    public void Calibration_OfScoresTwiceTooSure_HalvesThem()
    {
        var random = new Random(14);
        var scores = Enumerable.Range(0, 20_000).Select(_ => (4 * random.NextDouble()) - 3).Select(odds => (Score: 2 * odds, Missed: random.NextDouble() < 1 / (1 + Math.Exp(-odds)))).ToList();

        var calibration = Calibration.Fit(scores);

        Assert.Equal(0.5, calibration.Slope, 0.05);
        Assert.Equal(0.5, calibration.Chance(0), 0.03);
    }

    [Fact]
    public void Auc_ByRanks_IsTheShareOfPairsInTheRightOrder()
    {
        var random = new Random(15);
        var estimates = Enumerable.Range(0, 300).Select(_ => (Chance: random.Next(20) / 20.0, Missed: random.Next(3) == 0)).ToList();
        var pairs = from missed in estimates where missed.Missed from kept in estimates where !kept.Missed select missed.Chance > kept.Chance ? 1 : missed.Chance == kept.Chance ? 0.5 : 0;

        Assert.Equal(pairs.Average(), Reliability.Of(estimates, 0.3).Auc, 1e-12);
    }

    private static List<(float[] Features, bool Missed)> Samples(int count, int seed)
    {
        var (visits, _) = SimulatedClinic.Visits(count, 200, seed, SimulatedClinic.Usual);
        return [.. visits.Select(visit => (NoShowFeatures.Of(visit, null, 0.2, visit.Service == "a" ? 0.1 : 0.3), visit.Missed))];
    }
}
