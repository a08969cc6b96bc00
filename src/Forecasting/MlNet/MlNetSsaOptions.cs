namespace Forecasting.MlNet;

/// <summary>How many components ML.NET keeps.</summary>
public enum MlNetRank
{
    /// <summary>The rank whose free run over the last max(L, 200) training values errs least.</summary>
    Exact,

    /// <summary><see cref="MlNetSsaOptions.Rank"/>.</summary>
    Fixed,

    /// <summary>As <see cref="Exact"/>, but the reconstruction before the run comes from one window only.</summary>
    Fast,
}

/// <summary>The parameters of ML.NET's <c>ForecastBySsa</c>, by their names there. Its <c>discountFactor</c> and <c>isAdaptive</c> have no effect there and are not offered.</summary>
/// <param name="WindowSize">L ≥ 2.</param>
/// <param name="SeriesLength">More than L: how many consumed values are remembered. No effect on the training.</param>
/// <param name="TrainSize">More than 2·L: only the first so many values are learned from.</param>
public sealed record MlNetSsaOptions(int WindowSize, int SeriesLength, int TrainSize)
{
    /// <summary>How the rank is chosen.</summary>
    public MlNetRank RankSelection { get; init; } = MlNetRank.Exact;

    /// <summary>1…L − 1, for <see cref="MlNetRank.Fixed"/>; else the greatest rank allowed.</summary>
    public int? Rank { get; init; }

    /// <summary>1…L − 1; L − 1 when not given.</summary>
    public int? MaxRank { get; init; }

    /// <summary>Whether roots of the recurrence outside the unit circle are brought in.</summary>
    public bool ShouldStabilize { get; init; } = true;

    /// <summary>The greatest growth by one step that stabilising leaves to a trend: <c>Growth^(1/TimeSpan)</c> there. ≥ 0.</summary>
    public double MaxGrowthPerStep { get; init; } = double.PositiveInfinity;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(WindowSize, 2);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(SeriesLength, WindowSize);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(TrainSize, 2 * WindowSize);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxGrowthPerStep);
        foreach (var rank in new[] { Rank, MaxRank }.OfType<int>())
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, WindowSize);
        }
    }
}

/// <summary>Values after the last one known, with symmetric bounds; all float32, as there.</summary>
/// <param name="Values">One a step.</param>
/// <param name="Lower">Of the interval asked for.</param>
/// <param name="Upper">Of the interval asked for.</param>
public sealed record MlNetForecast(float[] Values, float[] Lower, float[] Upper);
