using System.Numerics;

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
    public double[] Gram()
    {
        var gram = new double[Window * Window];
        for (var j = 0; j < Window; j++)
        {
            gram[j] = gram[j * Window] = Dot(_series[..Columns], _series.Slice(j, Columns));
        }
        var left = _series[..(Window - 1)];
        var right = _series[Columns..];
        for (var i = 1; i < Window; i++)
        {
            var row = gram.AsSpan((i * Window) + 1, Window - 1);
            gram.AsSpan((i - 1) * Window, Window - 1).CopyTo(row);
            AddScaled(-left[i - 1], left, row);
            AddScaled(right[i - 1], right, row);
        }
        return gram;
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
        var sum = Vector<double>.Zero;
        var second = Vector<double>.Zero;
        var width = Vector<double>.Count;
        var i = 0;
        for (; i <= a.Length - (2 * width); i += 2 * width)
        {
            sum += new Vector<double>(a[i..]) * new Vector<double>(b[i..]);
            second += new Vector<double>(a[(i + width)..]) * new Vector<double>(b[(i + width)..]);
        }
        var total = Vector.Sum(sum + second);
        for (; i < a.Length; i++)
        {
            total += a[i] * b[i];
        }
        return total;
    }

    internal static void AddScaled(double factor, ReadOnlySpan<double> values, Span<double> target)
    {
        var width = Vector<double>.Count;
        var i = 0;
        for (; i <= values.Length - width; i += width)
        {
            (new Vector<double>(target[i..]) + (factor * new Vector<double>(values[i..]))).CopyTo(target[i..]);
        }
        for (; i < values.Length; i++)
        {
            target[i] += factor * values[i];
        }
    }
}
