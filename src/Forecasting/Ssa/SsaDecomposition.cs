using System.Buffers;

namespace Forecasting.Ssa;

/// <summary>
/// Basic singular spectrum analysis of one series: directions of its lagged windows by the Gram matrix X·Xᵀ, the parts of the series along them, and their continuation.
/// Components count from 0, the strongest first. Golyandina, Nekrutkin and Zhigljavsky, Analysis of Time Series Structure (2001), chapters 1 and 2.
/// </summary>
public sealed class SsaDecomposition
{
    private readonly double[] _series;
    private readonly EigenPairs _pairs;

    private SsaDecomposition(double[] series, int window, EigenPairs pairs)
    {
        _series = series;
        Window = window;
        _pairs = pairs;
    }

    /// <summary>L: how many neighbouring values make one lagged window.</summary>
    public int Window { get; }

    /// <summary>Components that were computed.</summary>
    public int Count => _pairs.Values.Length;

    /// <summary>Eigenvalues of X·Xᵀ, largest first.</summary>
    public IReadOnlyList<double> Spectrum => _pairs.Values;

    internal IReadOnlyList<double[]> Directions => _pairs.Vectors;

    /// <summary>Every component.</summary>
    /// <param name="series">Finite values, more than <paramref name="window"/> of them.</param>
    /// <param name="window">L ≥ 2.</param>
    public static SsaDecomposition Full(ReadOnlySpan<double> series, int window) => Decompose(series, window, window, near: null, Effort.Full);

    /// <summary>The strongest components only, at a fraction of the price.</summary>
    /// <param name="series">Finite values, more than <paramref name="window"/> of them.</param>
    /// <param name="window">L ≥ 2.</param>
    /// <param name="count">1…L.</param>
    public static SsaDecomposition Leading(ReadOnlySpan<double> series, int window, int count) => Decompose(series, window, count, near: null, Effort.Full);

    internal static SsaDecomposition Decompose(ReadOnlySpan<double> series, int window, int count, IReadOnlyList<double[]>? near, Effort effort)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(window, series.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, window);
        var gram = ArrayPool<double>.Shared.Rent(window * window); // a year's is a megabyte, and trials on the past want one a week
        try
        {
            new Trajectory(series, window).Gram(gram);
            return new(series.ToArray(), window, count == window ? SymmetricEigen.All(gram, window) : SymmetricEigen.Leading(gram, window, count, near, effort));
        }
        finally
        {
            ArrayPool<double>.Shared.Return(gram);
        }
    }

    /// <summary>The sum of the parts of the series along the named components: their rank-one matrices averaged along the diagonals.</summary>
    public double[] Reconstruct(params ReadOnlySpan<int> components)
    {
        var sum = new double[_series.Length];
        var trajectory = new Trajectory(_series, Window);
        foreach (var component in components)
        {
            var u = _pairs.Vectors[component];
            trajectory.AddDiagonalAverages(u, trajectory.Project(u), sum);
        }
        return sum;
    }

    /// <summary>The last values of <see cref="Reconstruct"/> without the rest of it.</summary>
    internal double[] ReconstructTail(int length, ReadOnlySpan<int> components)
    {
        var sum = new double[_series.Length];
        var trajectory = new Trajectory(_series, Window);
        var first = trajectory.FirstColumnOfTail(length);
        foreach (var component in components)
        {
            var u = _pairs.Vectors[component];
            trajectory.AddDiagonalAverages(u, trajectory.Project(u, first), sum, first);
        }
        return sum[^length..];
    }

    /// <summary>Coefficients of the linear recurrence the named components obey, oldest value first: next = Σ a[k]·x[k] over the last L − 1 values.</summary>
    /// <returns><see langword="null"/> when the components span the last axis, so that they tell nothing about the next value.</returns>
    public double[]? Recurrence(params ReadOnlySpan<int> components)
    {
        var coefficients = new double[Window - 1];
        var verticality = 0.0;
        foreach (var component in components)
        {
            var u = _pairs.Vectors[component];
            verticality += u[^1] * u[^1];
            Trajectory.AddScaled(u[^1], u.AsSpan(0, Window - 1), coefficients);
        }
        if (verticality > 1 - 1e-12)
        {
            return null;
        }
        for (var i = 0; i < coefficients.Length; i++)
        {
            coefficients[i] /= 1 - verticality;
        }
        return coefficients;
    }

    /// <summary>Continues by the recurrence, from the reconstruction or from the series as it is.</summary>
    /// <returns><see langword="null"/> where there is no <see cref="Recurrence"/>.</returns>
    public double[]? ForecastRecurrent(int horizon, bool fromOriginal, params ReadOnlySpan<int> components) =>
        Recurrence(components) is { } recurrence
            ? Continue(recurrence, fromOriginal ? _series.AsSpan(^(Window - 1)..) : ReconstructTail(Window - 1, components), horizon)
            : null;

    /// <summary>Continues the lagged windows inside the components' space, then averages along the diagonals: steadier than the recurrence when the space is only nearly right.</summary>
    /// <returns><see langword="null"/> where there is no <see cref="Recurrence"/>.</returns>
    public double[]? ForecastVector(int horizon, params ReadOnlySpan<int> components) =>
        SignalShift.Of([.. Chosen(components)]) is { } shift ? shift.Continue(_series, horizon) : null;

    /// <summary>Runs the recurrence freely.</summary>
    /// <param name="past">As many values as coefficients, oldest first.</param>
    internal static double[] Continue(ReadOnlySpan<double> recurrence, ReadOnlySpan<double> past, int horizon)
    {
        var values = new double[recurrence.Length + horizon];
        past.CopyTo(values);
        for (var i = 0; i < horizon; i++)
        {
            values[recurrence.Length + i] = Trajectory.Dot(recurrence, values.AsSpan(i, recurrence.Length));
        }
        return values[recurrence.Length..];
    }

    private List<double[]> Chosen(ReadOnlySpan<int> components)
    {
        var chosen = new List<double[]>(components.Length);
        foreach (var component in components)
        {
            chosen.Add(_pairs.Vectors[component]);
        }
        return chosen;
    }
}
