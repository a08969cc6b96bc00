using Forecasting.Ssa;
using MathNet.Numerics.Distributions;

namespace Forecasting.MlNet;

/// <summary>
/// ML.NET's <c>ForecastBySsa</c>, re-written from its description to give its numbers, its faults included: what a user of ML.NET compares us with. Never what a clinic is served.
/// Inputs, eigenvectors, results and the tests on them are float32 as there; sums between them are double, which stays within its rounding.
/// </summary>
public sealed class MlNetSsa
{
    private readonly int _window;
    private readonly double[][] _directions;
    private readonly double[] _recurrence;
    private readonly double[] _state;
    private readonly Queue<double> _buffer = new();
    private readonly int _bufferLength;
    private readonly double _observationVariance;
    private readonly double _recurrenceVariance;

    private MlNetSsa(MlNetSsaOptions options, double[] series, int window, int maxRank)
    {
        _window = window;
        _bufferLength = options.SeriesLength;
        var pairs = SsaDecomposition.Full(series, window);
        var rank = options.RankSelection switch
        {
            MlNetRank.Fixed => Math.Min(options.Rank ?? maxRank, window - 1),
            MlNetRank.Exact => MlNetRankSelection.Exact(series, pairs, maxRank),
            MlNetRank.Fast => MlNetRankSelection.Fast(series, pairs, maxRank),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.RankSelection, "Not a way to choose the rank."),
        };
        _directions = [.. pairs.Directions.Take(rank)];
        var components = Enumerable.Range(0, rank).ToArray();
        // A space with the last axis in it never comes here: Fit shrinks the window first. The mean is what ML.NET serves without a decomposition.
        _recurrence = pairs.Recurrence(components) ?? [.. Enumerable.Repeat(1.0 / (window - 1), window - 1)];
        if (options.ShouldStabilize && MlNetStabilization.Apply(_recurrence, window, options.MaxGrowthPerStep) is { } stable)
        {
            _recurrence = stable;
        }
        var signal = options.RankSelection == MlNetRank.Exact ? pairs.Reconstruct(components) : ReconstructEnds(series);
        (_observationVariance, _recurrenceVariance) = Noise(series.AsSpan(^signal.Length..), signal);
        _state = Smooth(series.AsSpan(^window..))[1..];
    }

    /// <summary>Components kept.</summary>
    public int Rank => _directions.Length;

    /// <summary>L as used: smaller than asked for when an eigenvector was the last axis.</summary>
    public int Window => _window;

    /// <summary>Learns from the first <see cref="MlNetSsaOptions.TrainSize"/> numbers; a NaN is skipped, which closes gaps silently, as there.</summary>
    public static MlNetSsa Fit(IEnumerable<float> values, MlNetSsaOptions options)
    {
        options.Check();
        var series = values.Where(value => !float.IsNaN(value)).Take(options.TrainSize).Select(value => (double)value).ToArray();
        if (series.Length <= 2 * options.WindowSize)
        {
            throw new ArgumentException($"{series.Length} values do not train a window of {options.WindowSize}: more than twice as many are needed.", nameof(values));
        }
        var window = options.WindowSize;
        var maxRank = options.MaxRank ?? (window - 1);
        while (window > 2 && HoldsAnAxis(series, window))
        {
            window--;
            maxRank = Math.Max(1, window / 2);
        }
        return new(options, series, window, maxRank);
    }

    /// <summary>Takes one more value: the state moves on, the model stays.</summary>
    public void Consume(float value)
    {
        if (float.IsNaN(value))
        {
            return;
        }
        if (_buffer.Count == 0)
        {
            foreach (var smooth in _state)
            {
                Remember(smooth);
            }
        }
        var x = new double[_window];
        var known = _buffer.TakeLast(_window - 1).ToArray();
        known.CopyTo(x.AsSpan(_window - 1 - known.Length));
        x[^1] = value;
        var smoothed = Smooth(x);
        for (var i = 0; i < _window - 2; i++)
        {
            _state[i] = (((_window - 2 - i) * _state[i + 1]) + smoothed[i + 1]) / (_window - 1 - i);
        }
        _state[_window - 2] = smoothed[_window - 1];
        Remember(value);
    }

    /// <param name="horizon">Steps, ≥ 1.</param>
    /// <param name="confidence">0 up to, not including, 1.</param>
    public MlNetForecast Forecast(int horizon, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(confidence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(confidence, 1);
        var values = SsaDecomposition.Continue(_recurrence, _state, horizon);
        var deviations = Deviations(horizon);
        var z = Normal.InvCDF(0, 1, 0.5 + (confidence / 2));
        return new(
            [.. values.Select(value => (float)value)],
            [.. values.Zip(deviations, (value, deviation) => (float)(value - (z * deviation)))],
            [.. values.Zip(deviations, (value, deviation) => (float)(value + (z * deviation)))]);
    }

    /// <summary>ML.NET begins the impulse response one step late, so that the second variance takes the second weight instead of the first. Kept, to give its bounds.</summary>
    private double[] Deviations(int horizon)
    {
        var response = new double[_window - 1 + horizon];
        response[_window - 2] = _recurrence[^1];
        if (_window >= 3)
        {
            response[_window - 3] = 1;
        }
        var deviations = new double[horizon];
        var variance = _recurrenceVariance + _observationVariance;
        for (var h = 0; h < horizon; h++)
        {
            if (h > 0)
            {
                var at = _window - 2 + h;
                response[at] = Trajectory.Dot(_recurrence, response.AsSpan(h - 1, _window - 1));
                variance += _recurrenceVariance * response[at] * response[at];
            }
            deviations[h] = Math.Sqrt(variance);
        }
        return deviations;
    }

    private void Remember(double value)
    {
        _buffer.Enqueue(value);
        if (_buffer.Count > _bufferLength)
        {
            _buffer.Dequeue();
        }
    }

    /// <summary>The window's shadow in the components' space.</summary>
    private double[] Smooth(ReadOnlySpan<double> window)
    {
        var smooth = new double[_window];
        foreach (var direction in _directions)
        {
            Trajectory.AddScaled(Trajectory.Dot(direction, window), direction, smooth);
        }
        return smooth;
    }

    /// <summary>The signal of the last 2·L − 1 values from two windows that meet in one value, where they are averaged.</summary>
    private double[] ReconstructEnds(ReadOnlySpan<double> series)
    {
        var (before, after) = (Smooth(series.Slice(series.Length - (2 * _window) + 1, _window)), Smooth(series[^_window..]));
        return [.. before[..^1], (before[^1] + after[0]) / 2, .. after[1..]];
    }

    private (double Observation, double Recurrence) Noise(ReadOnlySpan<double> series, double[] signal)
    {
        var residuals = new double[signal.Length];
        for (var i = 0; i < signal.Length; i++)
        {
            residuals[i] = series[i] - signal[i];
        }
        var steps = signal.Length - _window + 1;
        var innovations = new double[steps];
        for (var i = 0; i < steps; i++)
        {
            innovations[i] = signal[_window - 1 + i] - Trajectory.Dot(_recurrence, signal.AsSpan(i, _window - 1));
        }
        return (SquaresAboutMean(residuals) / residuals.Length, SquaresAboutMean(innovations) / (steps - _window + 1));
    }

    private static double SquaresAboutMean(double[] values)
    {
        var mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean));
    }

    private static bool HoldsAnAxis(double[] series, int window) =>
        SsaDecomposition.Full(series, window).Directions.Any(direction => (float)direction[^1] * (float)direction[^1] == 1f);
}
