using System.Numerics;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Forecasting.MlNet;

/// <summary>ML.NET's taming of a recurrence by the roots of its characteristic polynomial. The order of the steps decides the numbers.</summary>
internal static class MlNetStabilization
{
    private const double Real = 1e-9, NearOne = 0.9, ClosePhases = 0.05, Suppressed = 0.99;

    /// <returns><see langword="null"/> when the recurrence must be left as it is.</returns>
    public static double[]? Apply(double[] recurrence, int window, double maxGrowth)
    {
        if (recurrence.Length == 1)
        {
            return [Math.Clamp(recurrence[0], -1, 1)];
        }
        if (Roots(recurrence) is not { } roots)
        {
            return null;
        }
        var trends = Indexes(roots, root => root.Magnitude > 1 && IsOnAxis(root));
        var growing = Indexes(roots, root => root.Phase != 0 && root.Magnitude > 1 && !IsLonger(root, window));
        var polynomial = false;
        foreach (var i in Indexes(roots, root => root.Phase != 0 && root.Magnitude >= 1 && IsLonger(root, window)))
        {
            roots[i] = new(roots[i].Real, 0); // a season longer than the window was never seen whole: it is a trend
            polynomial = true;
        }
        if (maxGrowth > 1)
        {
            if (polynomial)
            {
                MergeCloseSeasons(roots, growing);
            }
            else
            {
                polynomial = MergeTrends(roots, trends);
            }
        }
        Cap(roots, trends, polynomial, maxGrowth);
        return PolynomialOfRoots.Coefficients(roots) is { } coefficients ? [.. coefficients.Select(c => -c)] : null;
    }

    private static void MergeCloseSeasons(Complex[] roots, int[] growing)
    {
        var sorted = growing.OrderBy(i => roots[i].Phase).ToArray();
        for (var start = 0; start < sorted.Length;)
        {
            var end = start + 1;
            while (end < sorted.Length && Math.Sign(roots[sorted[end]].Phase) == Math.Sign(roots[sorted[end - 1]].Phase)
                && roots[sorted[end]].Phase - roots[sorted[end - 1]].Phase <= ClosePhases)
            {
                end++;
            }
            if (end - start > 1 && end < sorted.Length) // ML.NET leaves the last cluster as it is
            {
                var cluster = sorted[start..end];
                var merged = Complex.FromPolarCoordinates(cluster.Average(i => roots[i].Magnitude), cluster.Average(i => roots[i].Phase));
                foreach (var i in cluster)
                {
                    roots[i] = merged;
                }
            }
            start = end;
        }
    }

    /// <summary>Two exponential trends together are one straight line.</summary>
    private static bool MergeTrends(Complex[] roots, int[] trends)
    {
        var first = trends.Where(i => Math.Abs(roots[i].Phase) <= Real).Append(-1).First();
        var second = Indexes(roots, root => Math.Abs(root.Phase) <= Real && root.Magnitude >= NearOne).Where(i => i != first).Append(-1).First();
        if (first < 0 || second < 0)
        {
            return false;
        }
        roots[first] = roots[second] = Complex.One;
        return true;
    }

    private static void Cap(Complex[] roots, int[] trends, bool polynomial, double maxGrowth)
    {
        var cap = Math.Min(1, maxGrowth);
        if (polynomial)
        {
            foreach (var i in trends)
            {
                roots[i] = Complex.FromPolarCoordinates(Suppressed, roots[i].Phase);
            }
        }
        else
        {
            cap = Math.Min(roots.Where(root => root.Magnitude > 1 && Math.Abs(root.Phase) <= Real).Select(root => root.Magnitude).DefaultIfEmpty(1).Max(), maxGrowth);
        }
        for (var i = 0; i < roots.Length; i++)
        {
            var (size, phase) = (roots[i].Magnitude, roots[i].Phase);
            if (size >= cap)
            {
                size = Math.Abs(phase) > Math.PI / 2 && Math.Abs(phase) < Math.PI - Real ? Math.Min(cap, (cap + 1) / 2) : cap;
            }
            roots[i] = Math.Abs(phase) <= Real ? new(size, 0) : Math.PI - Math.Abs(phase) <= Real ? new(-size, 0) : Complex.FromPolarCoordinates(size, phase);
        }
    }

    private static bool IsOnAxis(Complex root) => Math.Abs(root.Phase) <= Real || Math.PI - Math.Abs(root.Phase) <= Real;

    private static bool IsLonger(Complex root, int window) => 2 * Math.PI / Math.Abs(root.Phase) > window;

    private static int[] Indexes(Complex[] roots, Func<Complex, bool> where) => [.. Enumerable.Range(0, roots.Length).Where(i => where(roots[i]))];

    /// <summary>Roots of zⁿ − Σ a[k]·zᵏ, as the eigenvalues of its companion matrix.</summary>
    private static Complex[]? Roots(double[] recurrence)
    {
        var order = recurrence.Length;
        var companion = DenseMatrix.Create(order, order, (i, j) => j == order - 1 ? recurrence[i] : i == j + 1 ? 1 : 0);
        var roots = companion.Evd(Symmetricity.Asymmetric).EigenValues.ToArray();
        return roots.All(root => double.IsFinite(root.Real) && double.IsFinite(root.Imaginary)) ? roots : null;
    }
}
