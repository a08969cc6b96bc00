using MathNet.Numerics.LinearAlgebra;

namespace Forecasting.NoShow;

/// <summary>Logistic regression by Newton's method with a small ridge, over standardized terms. Deterministic.</summary>
internal static class LogisticRegression
{
    private const double Ridge = 1;
    private const int MostSteps = 30;

    public static LinearScorer Train(IReadOnlyList<(float[] Features, bool Missed)> visits)
    {
        var count = LinearTerms.Count;
        var terms = visits.Select(visit =>
        {
            var of = new double[count];
            LinearTerms.Of(visit.Features, of);
            return of;
        }).ToArray();
        var means = Enumerable.Range(0, count).Select(i => terms.Average(of => of[i])).ToArray();
        var scales = Enumerable.Range(0, count).Select(i => Math.Sqrt(terms.Average(of => (of[i] - means[i]) * (of[i] - means[i])))).Select(scale => scale < 1e-9 ? double.PositiveInfinity : scale).ToArray();
        foreach (var of in terms)
        {
            for (var i = 0; i < count; i++)
            {
                of[i] = (of[i] - means[i]) / scales[i]; // a term that never differs becomes 0
            }
        }
        var weights = Newton(terms, [.. visits.Select(visit => visit.Missed ? 1.0 : 0.0)]);
        return new(weights[count], [.. Enumerable.Range(0, count).Select(i => weights[i] / scales[i])], [.. means]);
    }

    /// <returns>A weight for each term, and the intercept last.</returns>
    internal static double[] Newton(double[][] terms, double[] truths)
    {
        var size = terms[0].Length + 1;
        var weights = new double[size];
        for (var step = 0; step < MostSteps; step++)
        {
            var gradient = Vector<double>.Build.Dense(size);
            var hessian = Matrix<double>.Build.Dense(size, size);
            for (var n = 0; n < terms.Length; n++)
            {
                var odds = weights[size - 1];
                for (var i = 0; i < size - 1; i++)
                {
                    odds += weights[i] * terms[n][i];
                }
                var chance = 1 / (1 + Math.Exp(-odds));
                var (error, weight) = (truths[n] - chance, chance * (1 - chance));
                for (var i = 0; i < size; i++)
                {
                    var x = i == size - 1 ? 1 : terms[n][i];
                    gradient[i] += error * x;
                    for (var j = 0; j <= i; j++)
                    {
                        hessian[i, j] += weight * x * (j == size - 1 ? 1 : terms[n][j]);
                    }
                }
            }
            for (var i = 0; i < size; i++)
            {
                var ridge = i == size - 1 ? 1e-6 : Ridge;
                gradient[i] -= ridge * weights[i];
                hessian[i, i] += ridge;
                for (var j = 0; j < i; j++)
                {
                    hessian[j, i] = hessian[i, j];
                }
            }
            var change = hessian.Solve(gradient);
            var largest = 0.0;
            for (var i = 0; i < size; i++)
            {
                weights[i] += Math.Clamp(change[i], -2, 2); // far from the maximum a whole step may overshoot
                largest = Math.Max(largest, Math.Abs(change[i]));
            }
            if (largest < 1e-8)
            {
                break;
            }
        }
        return weights;
    }
}
