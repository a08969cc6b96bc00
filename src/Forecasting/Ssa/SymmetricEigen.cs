using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Forecasting.Ssa;

/// <param name="Values">Largest first.</param>
/// <param name="Vectors">One vector a row, each of length one, in the order of <paramref name="Values"/>.</param>
internal sealed record EigenPairs(double[] Values, double[][] Vectors);

/// <summary>How far a search for leading eigenvectors goes.</summary>
/// <param name="Tolerance">Residual of each vector against its own eigenvalue.</param>
/// <param name="Restarts">Times it may start again from the best vectors found.</param>
/// <param name="MustConverge">Whether the whole decomposition is made after that; else the best found stands.</param>
internal readonly record struct Effort(double Tolerance, int Restarts, bool MustConverge)
{
    public static Effort Full { get; } = new(1e-9, 30, MustConverge: true);

    /// <summary>Directions of noise have nearly equal eigenvalues: telling them apart costs most of the time and changes no forecast.</summary>
    public static Effort ForNoisyCounts { get; } = new(1e-5, 0, MustConverge: false);
}

/// <summary>Eigen-decomposition of a symmetric positive semidefinite matrix, and the cheaper question for its leading part only.</summary>
internal static class SymmetricEigen
{
    /// <summary>Below this order the whole decomposition is as quick as a search for a part of it.</summary>
    private const int SmallOrder = 40;

    /// <summary>Growths of the search space before it starts again from the best vectors found.</summary>
    private const int Growths = 10;

    /// <param name="matrix">By rows; only the first order² entries count.</param>
    /// <param name="order">Rows.</param>
    public static EigenPairs All(ReadOnlySpan<double> matrix, int order)
    {
        var evd = new DenseMatrix(order, order, matrix[..(order * order)].ToArray()).Evd(Symmetricity.Symmetric); // symmetric: rows or columns first is the same
        var values = new double[order];
        var vectors = new double[order][];
        for (var i = 0; i < order; i++)
        {
            var from = order - 1 - i; // MathNet sorts ascending
            values[i] = evd.EigenValues[from].Real;
            vectors[i] = Upright(evd.EigenVectors.Column(from).AsArray() ?? [.. evd.EigenVectors.Column(from)]);
        }
        return new(values, vectors);
    }

    /// <summary>The <paramref name="count"/> leading pairs, by a block Krylov search with Rayleigh–Ritz extraction. Deterministic: no random start.</summary>
    /// <param name="matrix">By rows; only the first order² entries count.</param>
    /// <param name="order">Rows.</param>
    /// <param name="count">1…order.</param>
    /// <param name="near">Vectors believed to lie near the answer, such as those of the same series a week before; they save work, not accuracy.</param>
    /// <param name="effort">When to stop.</param>
    public static EigenPairs Leading(ReadOnlySpan<double> matrix, int order, int count, IReadOnlyList<double[]>? near, Effort effort)
    {
        var block = count + 1;
        if (order <= SmallOrder || block * Growths > order)
        {
            return First(All(matrix, order), count);
        }
        var start = Enumerable.Range(0, block).Select(i => near is not null && i < near.Count && near[i].Length == order ? [.. near[i]] : Wave(order, i)).ToList();
        for (var round = 0; ; round++)
        {
            var ritz = Search(matrix, order, count, start, effort.Tolerance, out var converged);
            if (converged || (round == effort.Restarts && !effort.MustConverge && ritz.Values.Length >= count))
            {
                return First(ritz, count);
            }
            if (round == effort.Restarts)
            {
                return First(All(matrix, order), count);
            }
            start = [.. ritz.Vectors];
        }
    }

    private static EigenPairs Search(ReadOnlySpan<double> matrix, int order, int count, List<double[]> start, double tolerance, out bool converged)
    {
        var basis = new List<double[]>();
        var images = new List<double[]>();
        var candidates = start;
        EigenPairs ritz;
        var growth = 0;
        do
        {
            var from = basis.Count;
            foreach (var candidate in candidates)
            {
                TryAdd(basis, candidate);
            }
            images.AddRange(Apply(matrix, order, basis[from..]));
            candidates = [.. images.Skip(from).Select(image => (double[])image.Clone())];
            growth++;
            ritz = growth % 3 == 0 || growth == Growths || candidates.Count == 0 ? Extract(basis, images, start.Count, count, tolerance, out converged) : Nothing(out converged);
        }
        while (!converged && growth < Growths && candidates.Count > 0);
        return ritz;
    }

    private static EigenPairs Nothing(out bool converged)
    {
        converged = false;
        return new([], []);
    }

    /// <summary>The best approximations the search space holds.</summary>
    private static EigenPairs Extract(List<double[]> basis, List<double[]> images, int wanted, int count, double tolerance, out bool converged)
    {
        var size = basis.Count;
        var projected = new double[size * size];
        for (var i = 0; i < size; i++)
        {
            for (var j = i; j < size; j++)
            {
                projected[(i * size) + j] = projected[(j * size) + i] = Trajectory.Dot(basis[i], images[j]);
            }
        }
        var inner = All(projected, size);
        wanted = Math.Min(wanted, size);
        var vectors = new double[wanted][];
        converged = size >= count;
        for (var k = 0; k < wanted; k++)
        {
            vectors[k] = Combine(basis, inner.Vectors[k]);
            if (converged && k < count)
            {
                var residual = Combine(images, inner.Vectors[k]);
                Trajectory.AddScaled(-inner.Values[k], vectors[k], residual);
                // Where nothing is left of the matrix any direction will do: a constant series has one component.
                converged = Norm(residual) <= Math.Max(tolerance * inner.Values[k], 1e-13 * inner.Values[0]);
            }
            vectors[k] = Upright(vectors[k]);
        }
        return new(inner.Values[..wanted], vectors);
    }

    private static double[] Combine(List<double[]> vectors, double[] factors)
    {
        var sum = new double[vectors[0].Length];
        for (var i = 0; i < factors.Length; i++)
        {
            Trajectory.AddScaled(factors[i], vectors[i], sum);
        }
        return sum;
    }

    /// <summary>Row by row for all vectors at once: the matrix is read from memory once.</summary>
    private static double[][] Apply(ReadOnlySpan<double> matrix, int order, List<double[]> vectors)
    {
        var images = vectors.Select(_ => new double[order]).ToArray();
        for (var i = 0; i < order; i++)
        {
            var row = matrix.Slice(i * order, order);
            for (var k = 0; k < images.Length; k++)
            {
                images[k][i] = Trajectory.Dot(row, vectors[k]);
            }
        }
        return images;
    }

    /// <summary>Takes from the candidate what the basis holds already, twice, because once leaves rounding behind. A candidate with nothing new is dropped.</summary>
    private static void TryAdd(List<double[]> basis, double[] candidate)
    {
        for (var pass = 0; pass < 2; pass++)
        {
            var before = Norm(candidate);
            if (!(before > 0))
            {
                return;
            }
            Scale(candidate, 1 / before);
            foreach (var vector in basis)
            {
                Trajectory.AddScaled(-Trajectory.Dot(candidate, vector), vector, candidate);
            }
            if (Norm(candidate) < 1e-10)
            {
                return;
            }
        }
        Scale(candidate, 1 / Norm(candidate));
        basis.Add(candidate);
    }

    private static EigenPairs First(EigenPairs pairs, int count) => new(pairs.Values[..Math.Min(count, pairs.Values.Length)], pairs.Vectors[..Math.Min(count, pairs.Vectors.Length)]);

    /// <summary>Slow waves: the leading components of a load series are its level and its slow changes.</summary>
    private static double[] Wave(int order, int k) => [.. Enumerable.Range(0, order).Select(t => Math.Cos(Math.PI * k * (t + 0.5) / order) + (0.01 * Math.Cos(t * (k + 1.7))))];

    /// <summary>An eigenvector's sign is free; fixed here, so that results do not depend on the way that found it.</summary>
    private static double[] Upright(double[] vector)
    {
        if (vector.Sum() < 0)
        {
            Scale(vector, -1);
        }
        return vector;
    }

    private static double Norm(double[] vector) => Math.Sqrt(Trajectory.Dot(vector, vector));

    private static void Scale(double[] vector, double factor)
    {
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] *= factor;
        }
    }
}
