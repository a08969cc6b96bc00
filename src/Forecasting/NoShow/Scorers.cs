using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Forecasting.NoShow;

/// <summary>From features to log-odds, and what each feature adds to them.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(TreeScorer), "trees")]
[JsonDerivedType(typeof(LinearScorer), "linear")]
internal abstract record RiskScorer
{
    /// <summary>As people are told it.</summary>
    [JsonIgnore]
    public abstract string Name { get; }

    /// <param name="additions">Receives what each feature adds to the log-odds of a visit about which nothing is known.</param>
    /// <returns>Log-odds, before calibration.</returns>
    public abstract double Score(ReadOnlySpan<float> features, Span<double> additions);
}

/// <summary>A binary tree. Children below zero are leaves: ~index.</summary>
/// <param name="Means">Of each inner node: the mean of what its leaves say, weighted by the visits in them.</param>
internal sealed record RiskTree(
    ImmutableArray<int> Features, ImmutableArray<float> Thresholds, ImmutableArray<int> Left, ImmutableArray<int> Right, ImmutableArray<double> Leaves, ImmutableArray<double> Means);

/// <summary>A sum of trees. A step from a node to its child moves the mean: that is what the node's feature adds (Saabas).</summary>
internal sealed record TreeScorer(double Bias, ImmutableArray<RiskTree> Trees) : RiskScorer
{
    public override string Name => $"{Trees.Length} boosted trees";

    public override double Score(ReadOnlySpan<float> features, Span<double> additions)
    {
        additions.Clear();
        var sum = Bias;
        foreach (var tree in Trees)
        {
            if (tree.Features.IsEmpty)
            {
                sum += tree.Leaves[0];
                continue;
            }
            var (node, mean) = (0, tree.Means[0]);
            while (node >= 0)
            {
                var feature = tree.Features[node];
                node = features[feature] <= tree.Thresholds[node] ? tree.Left[node] : tree.Right[node];
                var next = node >= 0 ? tree.Means[node] : tree.Leaves[~node];
                additions[feature] += next - mean;
                mean = next;
            }
            sum += mean;
        }
        return sum;
    }
}

/// <summary>Logistic regression over <see cref="LinearTerms"/>.</summary>
/// <param name="Means">Of the terms over the visits learned from: a term at its mean adds nothing.</param>
internal sealed record LinearScorer(double Bias, ImmutableArray<double> Weights, ImmutableArray<double> Means) : RiskScorer
{
    [JsonIgnore]
    public override string Name => "logistic regression";

    public override double Score(ReadOnlySpan<float> features, Span<double> additions)
    {
        additions.Clear();
        Span<double> terms = stackalloc double[LinearTerms.Count];
        LinearTerms.Of(features, terms);
        var sum = Bias;
        for (var i = 0; i < terms.Length; i++)
        {
            var addition = Weights[i] * (terms[i] - Means[i]);
            additions[LinearTerms.FeatureOf[i]] += addition;
            sum += addition;
        }
        return sum;
    }
}

/// <summary>Features bent so that log-odds are about straight in them.</summary>
internal static class LinearTerms
{
    /// <summary>Which feature each term is made of.</summary>
    public static readonly ImmutableArray<int> FeatureOf = [0, 0, 1, 2, 3, 4, 4, 5, 5, 5, 5, 5, 5, 6, 6, 7, 8];

    public static int Count => FeatureOf.Length;

    public static void Of(ReadOnlySpan<float> features, Span<double> terms)
    {
        terms.Clear();
        terms[0] = features[0] < 0 ? 0 : Math.Log(1 + features[0]);
        terms[1] = features[0] < 0 ? 1 : 0;
        terms[2] = Math.Log(1 + features[1]);
        terms[3] = LogOdds(features[2]);
        terms[4] = features[3] - 0.5;
        terms[5] = features[4] < 0 ? 0 : Math.Log(1 + features[4]);
        terms[6] = features[4] < 0 ? 1 : 0;
        if (features[5] > 0) // Sunday is what the others differ from
        {
            terms[6 + (int)features[5]] = 1;
        }
        var fromNoon = (features[6] - 12) / 12;
        terms[13] = fromNoon;
        terms[14] = fromNoon * fromNoon;
        terms[15] = LogOdds(features[7]);
        terms[16] = Math.Min(features[8], 5);
    }

    private static double LogOdds(double share) => Math.Clamp(share, 0.001, 0.999) is var p ? Math.Log(p / (1 - p)) : 0;
}
