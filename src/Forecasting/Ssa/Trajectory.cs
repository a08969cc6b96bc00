using System.Numerics;
using System.Runtime.InteropServices;

namespace Forecasting.Ssa;

/// <summary>The trajectory matrix of a series, X[i, j] = x[i + j] with L rows and K = N − L + 1 columns. It is never formed: what is asked of it needs only the series.</summary>
internal readonly ref struct Trajectory
{
    private readonly ReadOnlySpan<double> _series;

    /// <param name="series">N values.</param>
    /// <param name="window">L, 1…N.</param>
    public Trajectory(ReadOnlySpan<double> series, int window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window, series.Length);
        _series = series;
        Window = window;
        Columns = series.Length - window + 1;
    }

    public int Window { get; }

    public int Columns { get; }

    /// <summary>X·Xᵀ by rows. Each entry follows from its upper left neighbour, so that only the first row costs K products an entry.</summary>
    /// <param name="gram">Takes the L² entries.</param>
    public void Gram(Span<double> gram)
    {
        for (var j = 0; j < Window; j++)
        {
            gram[j] = gram[j * Window] = Dot(_series[..Columns], _series.Slice(j, Columns));
        }
        var left = _series[..(Window - 1)];
        var right = _series[Columns..];
        for (var i = 1; i < Window; i++)
        {
            var row = gram.Slice((i * Window) + 1, Window - 1);
            Shift(gram.Slice((i - 1) * Window, Window - 1), -left[i - 1], left, right[i - 1], right, row);
        }
    }

    /// <summary>uᵀ·X for the columns from <paramref name="first"/>: how much of direction <paramref name="u"/> each lagged window holds.</summary>
    public double[] Project(ReadOnlySpan<double> u, int first = 0)
    {
        var along = new double[Columns - first];
        for (var j = 0; j < along.Length; j++)
        {
            along[j] = Dot(u, _series.Slice(first + j, Window));
        }
        return along;
    }

    /// <summary>Adds the diagonal averages of u·vᵀ, with v given from column <paramref name="first"/> on, to the series' values from there on.</summary>
    /// <param name="sum">As long as the series.</param>
    /// <remarks>
    /// Products are summed along shifted rows, which the processor does four at a time; below some ten thousand points this is no slower than three Fourier transforms.
    /// With <paramref name="first"/> &gt; 0 only the last N − first − L + 1 values and those whose diagonals begin at <paramref name="first"/> are whole: see <see cref="FirstColumnOfTail"/>.
    /// </remarks>
    public void AddDiagonalAverages(ReadOnlySpan<double> u, ReadOnlySpan<double> v, Span<double> sum, int first = 0)
    {
        var products = new double[Window + v.Length - 1];
        for (var i = 0; i < Window; i++)
        {
            AddScaled(u[i], v, products.AsSpan(i, v.Length));
        }
        for (var d = 0; d < products.Length; d++)
        {
            var t = first + d;
            sum[t] += products[d] / Math.Min(Math.Min(t + 1, Math.Min(Window, Columns)), _series.Length - t);
        }
    }

    /// <summary>The first column that the last <paramref name="length"/> values of a reconstruction depend on.</summary>
    public int FirstColumnOfTail(int length) => Math.Max(0, _series.Length - length - Window + 1);

    internal static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var wideA = MemoryMarshal.Cast<double, Vector<double>>(a);
        var wideB = MemoryMarshal.Cast<double, Vector<double>>(b)[..wideA.Length];
        var (first, second) = (Vector<double>.Zero, Vector<double>.Zero);
        var i = 0;
        for (; i < wideA.Length - 1; i += 2)
        {
            first += wideA[i] * wideB[i];
            second += wideA[i + 1] * wideB[i + 1];
        }
        if (i < wideA.Length)
        {
            first += wideA[i] * wideB[i];
        }
        var total = Vector.Sum(first + second);
        for (i = wideA.Length * Vector<double>.Count; i < a.Length; i++)
        {
            total += a[i] * b[i];
        }
        return total;
    }

    /// <summary>row = before + a·left + b·right.</summary>
    private static void Shift(ReadOnlySpan<double> before, double a, ReadOnlySpan<double> left, double b, ReadOnlySpan<double> right, Span<double> row)
    {
        var wideRow = MemoryMarshal.Cast<double, Vector<double>>(row);
        var wideBefore = MemoryMarshal.Cast<double, Vector<double>>(before)[..wideRow.Length];
        var wideLeft = MemoryMarshal.Cast<double, Vector<double>>(left)[..wideRow.Length];
        var wideRight = MemoryMarshal.Cast<double, Vector<double>>(right)[..wideRow.Length];
        var (wideA, wideB) = (new Vector<double>(a), new Vector<double>(b));
        for (var i = 0; i < wideRow.Length; i++)
        {
            wideRow[i] = wideBefore[i] + (wideA * wideLeft[i]) + (wideB * wideRight[i]);
        }
        for (var i = wideRow.Length * Vector<double>.Count; i < row.Length; i++)
        {
            row[i] = before[i] + (a * left[i]) + (b * right[i]);
        }
    }

    internal static void AddScaled(double factor, ReadOnlySpan<double> values, Span<double> target)
    {
        var wide = MemoryMarshal.Cast<double, Vector<double>>(values);
        var wideTarget = MemoryMarshal.Cast<double, Vector<double>>(target)[..wide.Length];
        var wideFactor = new Vector<double>(factor);
        for (var i = 0; i < wide.Length; i++)
        {
            wideTarget[i] += wideFactor * wide[i];
        }
        for (var i = wide.Length * Vector<double>.Count; i < values.Length; i++)
        {
            target[i] += factor * values[i];
        }
    }
}
