using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Forecasting.Ssa;

/// <summary>
/// The signal's own motion: how the coordinates of a lagged window in the space of r components change when the window moves on by one value (the shift matrix of ESPRIT).
/// Its r eigenvalues are the signal's roots. They alone can make a forecast explode, so they alone are held down: a polynomial of degree L − 1 is neither solved nor rebuilt.
/// </summary>
internal sealed class SignalShift
{
    private readonly double[][] _directions;
    private readonly Matrix<double> _shift;

    private SignalShift(double[][] directions, Matrix<double> shift)
    {
        _directions = directions;
        _shift = shift;
    }

    private int Window => _directions[0].Length;

    /// <summary>The size of the largest root: above 1 the signal grows.</summary>
    public double Growth => _shift.Evd().EigenValues.Max(root => root.Magnitude);

    /// <returns><see langword="null"/> when the space holds the last axis: the next value is then free.</returns>
    public static SignalShift? Of(double[][] directions)
    {
        var rank = directions.Length;
        var last = DenseVector.Create(rank, i => directions[i][^1]);
        var verticality = last.DotProduct(last);
        if (verticality > 1 - 1e-12)
        {
            return null;
        }
        var overlap = DenseMatrix.Create(rank, rank, (i, j) => Trajectory.Dot(directions[i].AsSpan(..^1), directions[j].AsSpan(1..)));
        return new(directions, overlap + (last.OuterProduct(last * overlap) / (1 - verticality)));
    }

    /// <summary>The same motion with every root brought to at most <paramref name="limit"/> in size.</summary>
    /// <returns><see langword="null"/> when the roots cannot be taken apart.</returns>
    public SignalShift? Damped(double limit)
    {
        var evd = _shift.Evd();
        if (evd.EigenValues.All(root => root.Magnitude <= limit))
        {
            return this;
        }
        // A conjugate pair is a block of two in D; both get the same factor, so the block keeps its angle.
        var factors = DenseVector.Create(evd.EigenValues.Count, i => Math.Min(1, limit / evd.EigenValues[i].Magnitude));
        var rebuilt = evd.EigenVectors * (DiagonalMatrix.OfDiagonal(factors.Count, factors.Count, factors) * evd.D) * evd.EigenVectors.Inverse();
        return rebuilt.Enumerate().All(double.IsFinite) ? new(_directions, rebuilt) : null;
    }

    /// <summary>Vector forecast: the windows that follow the last one, averaged along their diagonals.</summary>
    public double[] Continue(ReadOnlySpan<double> series, int horizon)
    {
        var last = series[^Window..].ToArray();
        Vector<double> state = DenseVector.Create(_directions.Length, i => Trajectory.Dot(_directions[i], last));
        var forecast = new double[horizon];
        for (var step = 0; step < horizon + Window - 1; step++)
        {
            state = _shift * state;
            // This window covers the values step − L + 1 … step after the end; those before the end are known.
            for (var h = Math.Max(0, step - Window + 1); h <= Math.Min(step, horizon - 1); h++)
            {
                var row = h - step + Window - 1;
                for (var i = 0; i < _directions.Length; i++)
                {
                    forecast[h] += _directions[i][row] * state[i] / Window;
                }
            }
        }
        return forecast;
    }
}
