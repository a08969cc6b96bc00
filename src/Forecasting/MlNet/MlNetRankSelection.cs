using Forecasting.Ssa;

namespace Forecasting.MlNet;

/// <summary>ML.NET's choice of the rank: the one whose free run over the end of the training values errs least in sum. On noisy counts it tends to a flat line.</summary>
internal static class MlNetRankSelection
{
    private const int LongestRun = 200;

    public static int Exact(double[] series, SsaDecomposition decomposition, int maxRank)
    {
        var signal = new double[series.Length];
        var run = Run(series.Length, decomposition.Window);
        return Best(series, decomposition, maxRank, run, component =>
        {
            var part = decomposition.Reconstruct(component);
            Trajectory.AddScaled(1, part, signal);
            return (Past: signal.AsSpan(series.Length - run - decomposition.Window + 1, decomposition.Window - 1).ToArray(), Bias: MeanOfDifference(series, signal));
        });
    }

    public static int Fast(double[] series, SsaDecomposition decomposition, int maxRank)
    {
        var length = decomposition.Window - 1;
        var past = new double[length];
        var run = Run(series.Length, decomposition.Window);
        var from = series.Length - run - length;
        return Best(series, decomposition, maxRank, run, component =>
        {
            var u = decomposition.Directions[component];
            Trajectory.AddScaled(Trajectory.Dot(u, series.AsSpan(from, decomposition.Window)), u.AsSpan(0, length), past);
            return (past, MeanOfDifference(series.AsSpan(from, length), past));
        });
    }

    private static int Run(int length, int window) => Math.Min(Math.Max(window, LongestRun), length - window + 1);

    private static int Best(double[] series, SsaDecomposition decomposition, int maxRank, int run, Func<int, (double[] Past, double Bias)> add)
    {
        var (best, least) = (maxRank, double.MaxValue);
        for (var rank = 1; rank <= maxRank; rank++)
        {
            var (past, bias) = add(rank - 1);
            if (decomposition.Recurrence([.. Enumerable.Range(0, rank)]) is { } recurrence
                && Error(series.AsSpan(^run..), recurrence, past, bias, least) is var error && error < least)
            {
                (best, least) = (rank, error);
            }
        }
        return best;
    }

    private static double Error(ReadOnlySpan<double> truth, double[] recurrence, double[] past, double bias, double enough)
    {
        var values = new double[past.Length + truth.Length];
        past.CopyTo(values, 0);
        var error = 0.0;
        for (var i = 0; i < truth.Length && error <= enough; i++)
        {
            values[past.Length + i] = Trajectory.Dot(recurrence, values.AsSpan(i, past.Length)) + bias;
            error += Math.Abs(truth[i] - values[past.Length + i]);
        }
        return error;
    }

    private static double MeanOfDifference(ReadOnlySpan<double> series, ReadOnlySpan<double> signal)
    {
        var sum = 0.0;
        for (var i = 0; i < series.Length; i++)
        {
            sum += series[i] - signal[i];
        }
        return sum / series.Length;
    }
}
