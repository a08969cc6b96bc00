using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;

namespace Forecasting.NoShow;

/// <summary>
/// Gradient boosted trees, grown by ML.NET's FastTree and taken out of it: what scores a visit is a few arrays of our own, so that no process
/// that only serves ever loads ML.NET.
/// </summary>
internal static class BoostedTrees
{
    private const int Trees = 60, Leaves = 12, LeastInLeaf = 25;
    private const double Rate = 0.12;

    private sealed class Row
    {
        [VectorType(NoShowFeatures.Count)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    public static TreeScorer Train(IReadOnlyList<(float[] Features, bool Missed)> visits)
    {
        var context = new MLContext(seed: 1);
        var data = context.Data.LoadFromEnumerable(visits.Select(visit => new Row { Features = visit.Features, Label = visit.Missed }));
        var trainer = context.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options
        {
            NumberOfTrees = Trees,
            NumberOfLeaves = Leaves,
            MinimumExampleCountPerLeaf = LeastInLeaf,
            LearningRate = Rate,
            NumberOfThreads = 1, // this is a thread that gives way
            UnbalancedSets = false,
            FeatureFraction = 1,
            Seed = 1,
        });
        var ensemble = trainer.Fit(data).Model.SubModel.TrainedTreeEnsemble;
        return new(ensemble.Bias, [.. ensemble.Trees.Zip(ensemble.TreeWeights, (tree, weight) => Take(tree, weight, visits))]);
    }

    private static RiskTree Take(RegressionTree tree, double weight, IReadOnlyList<(float[] Features, bool Missed)> visits)
    {
        var leaves = tree.LeafValues.Select(value => value * weight).ToArray();
        var (features, thresholds) = (tree.NumericalSplitFeatureIndexes.ToArray(), tree.NumericalSplitThresholds.ToArray());
        var (left, right) = (tree.LeftChild.ToArray(), tree.RightChild.ToArray());
        var inLeaf = new int[leaves.Length];
        foreach (var (of, _) in visits)
        {
            var node = features.Length == 0 ? -1 : 0;
            while (node >= 0)
            {
                node = of[features[node]] <= thresholds[node] ? left[node] : right[node];
            }
            inLeaf[~node]++;
        }
        var means = new double[features.Length];
        (double Sum, int Count) Mean(int node)
        {
            if (node < 0)
            {
                return (leaves[~node] * inLeaf[~node], inLeaf[~node]);
            }
            var (one, other) = (Mean(left[node]), Mean(right[node]));
            var (sum, count) = (one.Sum + other.Sum, one.Count + other.Count);
            means[node] = count > 0 ? sum / count : 0;
            return (sum, count);
        }
        if (features.Length > 0)
        {
            Mean(0);
        }
        return new([.. features], [.. thresholds], [.. left], [.. right], [.. leaves], [.. means]);
    }
}
