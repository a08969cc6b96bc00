namespace Forecasting.NoShow;

/// <summary>Turns a score into a chance that holds: log-odds × <paramref name="Slope"/> + <paramref name="Shift"/> (Platt).</summary>
internal sealed record Calibration(double Slope, double Shift)
{
    public static Calibration None { get; } = new(1, 0);

    /// <param name="scores">Of visits that the scorer has not learned from.</param>
    public static Calibration Fit(IReadOnlyList<(double Score, bool Missed)> scores)
    {
        var weights = LogisticRegression.Newton([.. scores.Select(one => new[] { one.Score })], [.. scores.Select(one => one.Missed ? 1.0 : 0.0)]);
        return weights[0] > 0 ? new(weights[0], weights[1]) : None; // a score that runs the wrong way is worth nothing: the gate will say so
    }

    public double Chance(double score) => 1 / (1 + Math.Exp(-((Slope * score) + Shift)));
}
