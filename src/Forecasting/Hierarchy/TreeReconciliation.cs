namespace Forecasting.Hierarchy;

/// <summary>
/// Makes forecasts of a whole and of its parts add up, each giving way by how unsure it is: the least sum of squared changes, each over its variance (MinT with a diagonal covariance, Wickramasuriya et al. 2019).
/// In a tree that needs no matrix: what the parts say of the whole is carried up, the rest is shared out on the way down.
/// </summary>
public static class TreeReconciliation
{
    /// <param name="parents">The index of each node's parent; −1 for the first node, which is the whole. A parent comes before its parts.</param>
    /// <param name="forecasts">One a node, finite and not negative.</param>
    /// <param name="variances">One a node, ≥ 0; 0 is certain, such as a closed day.</param>
    /// <returns>Values that are not negative and of which each parent's is the sum of its parts'.</returns>
    /// <remarks>Exactly the least squares where no value would turn negative; else parts held at zero leave their share to the others.</remarks>
    public static double[] Reconcile(ReadOnlySpan<int> parents, ReadOnlySpan<double> forecasts, ReadOnlySpan<double> variances)
    {
        Check(parents, forecasts, variances);
        var parts = PartsOf(parents);
        var means = forecasts.ToArray();
        var spreads = variances.ToArray();
        for (var node = parts.Length - 1; node >= 0; node--)
        {
            if (parts[node].Count > 0)
            {
                var (sum, spread) = (parts[node].Sum(part => means[part]), parts[node].Sum(part => spreads[part]));
                var trust = spreads[node] + spread > 0 ? spread / (spreads[node] + spread) : 0; // in its own forecast; two certainties: the parts are right
                (means[node], spreads[node]) = (sum + (trust * (means[node] - sum)), trust * spreads[node]);
            }
        }
        for (var node = 0; node < parts.Length; node++)
        {
            Share(means[node], parts[node], means, spreads);
            if (parts[node].Count > 0)
            {
                means[node] = parts[node].Sum(part => means[part]); // certain parts leave nothing to give way
            }
        }
        for (var node = parts.Length - 1; node >= 0; node--)
        {
            means[node] = parts[node].Count > 0 ? parts[node].Sum(part => means[part]) : means[node]; // sums of what was rounded, not roundings of sums
        }
        return means;
    }

    /// <summary>Moves the parts so that they sum to the whole, in proportion to their variances, none below zero.</summary>
    private static void Share(double whole, List<int> parts, double[] means, double[] spreads)
    {
        var free = parts.Where(part => spreads[part] > 0).ToList();
        while (free.Count > 0)
        {
            var missing = whole - parts.Sum(part => means[part]);
            var spread = free.Sum(part => spreads[part]);
            var negative = free.Where(part => means[part] + (missing * spreads[part] / spread) < 0).ToList();
            if (negative.Count == 0)
            {
                free.ForEach(part => means[part] += missing * spreads[part] / spread);
                return;
            }
            foreach (var part in negative)
            {
                means[part] = 0;
                free.Remove(part);
            }
        }
    }

    private static List<int>[] PartsOf(ReadOnlySpan<int> parents)
    {
        var parts = new List<int>[parents.Length];
        for (var node = 0; node < parents.Length; node++)
        {
            parts[node] = [];
            if (node > 0)
            {
                parts[parents[node]].Add(node);
            }
        }
        return parts;
    }

    private static void Check(ReadOnlySpan<int> parents, ReadOnlySpan<double> forecasts, ReadOnlySpan<double> variances)
    {
        if (parents.Length == 0 || forecasts.Length != parents.Length || variances.Length != parents.Length || parents[0] != -1)
        {
            throw new ArgumentException("One parent, forecast and variance a node; the first node is the whole, with parent -1.", nameof(parents));
        }
        for (var node = 0; node < parents.Length; node++)
        {
            if (node > 0 && (parents[node] < 0 || parents[node] >= node))
            {
                throw new ArgumentException($"Node {node} must come after its parent.", nameof(parents));
            }
            if (!(forecasts[node] >= 0 && double.IsFinite(forecasts[node]) && variances[node] >= 0 && double.IsFinite(variances[node])))
            {
                throw new ArgumentException($"Node {node}: forecast and variance must be finite and not negative.", nameof(forecasts));
            }
        }
    }
}
