using System.Numerics;

namespace Forecasting.MlNet;

/// <summary>The coefficients that belong to given roots. Multiplying roots in any order overflows for a window of 90 and more; Leja's order keeps every partial product small.</summary>
internal static class PolynomialOfRoots
{
    /// <returns>Coefficients of the monic real polynomial, lowest power first and without the leading one; <see langword="null"/> when they are not finite or the roots are no conjugate pairs.</returns>
    public static double[]? Coefficients(IReadOnlyList<Complex> roots)
    {
        var polynomial = new Complex[roots.Count + 1]; // highest power first while it grows
        polynomial[0] = Complex.One;
        var degree = 0;
        foreach (var root in LejaOrder(roots))
        {
            degree++;
            for (var i = degree; i > 0; i--)
            {
                polynomial[i] -= root * polynomial[i - 1];
            }
        }
        var scale = polynomial.Max(value => value.Magnitude);
        return double.IsFinite(scale) && polynomial.All(value => Math.Abs(value.Imaginary) <= 1e-6 * scale)
            ? [.. polynomial.Skip(1).Reverse().Select(value => value.Real)]
            : null;
    }

    /// <summary>Largest first, then always the one farthest, by the product of distances, from all before it.</summary>
    private static IEnumerable<Complex> LejaOrder(IReadOnlyList<Complex> roots)
    {
        var left = roots.ToList();
        var distances = left.ConvertAll(root => Math.Log(Math.Max(root.Magnitude, double.Epsilon)));
        while (left.Count > 0)
        {
            var next = distances.IndexOf(distances.Max());
            var root = left[next];
            left.RemoveAt(next);
            distances.RemoveAt(next);
            for (var i = 0; i < left.Count; i++)
            {
                distances[i] = (left.Count == roots.Count - 1 ? 0 : distances[i]) + Math.Log(Math.Max((left[i] - root).Magnitude, 1e-300));
            }
            yield return root;
        }
    }
}
