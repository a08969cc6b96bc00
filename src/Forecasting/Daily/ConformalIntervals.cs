using MathNet.Numerics.Distributions;

namespace Forecasting.Daily;

/// <summary>
/// Split-conformal intervals: as wide as the errors of the same method's forecasts of the last half year were, by how far ahead they looked.
/// An error counts in units of √(expected count), so that a quiet weekday does not borrow a busy one's width.
/// </summary>
internal sealed class ConformalIntervals
{
    /// <summary>Fewer errors than this say nothing about 95 %.</summary>
    public const int Enough = 39;

    private readonly double[][] _scores;
    private readonly double _assumed;

    private ConformalIntervals(double[][] scores, double assumed)
    {
        _scores = scores;
        _assumed = assumed;
    }

    public static ConformalIntervals None { get; } = new([], 1);

    public bool IsAssumed => _scores.All(group => group.Length < Enough);

    /// <param name="errors">Days ahead (0 the first) and the error's score: see <see cref="Score"/>.</param>
    /// <param name="spread">Deviation to assume while errors are few, in units of √(expected count), ≥ 1.</param>
    public static ConformalIntervals Of(IEnumerable<(int Ahead, double Score)> errors, double spread)
    {
        var groups = new List<double>[Group(int.MaxValue) + 1];
        for (var i = 0; i < groups.Length; i++)
        {
            groups[i] = [];
        }
        foreach (var (ahead, score) in errors)
        {
            groups[Group(ahead)].Add(score);
        }
        var sorted = Array.ConvertAll(groups, group => group.Order().ToArray());
        return new(sorted, Math.Max(1, spread));
    }

    public static double Score(double truth, double forecast) => Math.Abs(truth - forecast) / Unit(forecast);

    public double HalfWidth(int ahead, double forecast, double confidence)
    {
        var group = _scores.Length == 0 ? [] : _scores[Group(ahead)];
        for (var nearer = Group(ahead); group.Length < Enough && nearer > 0; nearer--)
        {
            group = _scores[nearer - 1]; // a longer look ahead than the past allowed to try
        }
        if (group.Length < Enough)
        {
            return Normal.InvCDF(0, 1, 0.5 + (confidence / 2)) * _assumed * Unit(forecast);
        }
        var rank = (int)Math.Ceiling((group.Length + 1) * confidence);
        return group[Math.Min(rank, group.Length) - 1] * Unit(forecast);
    }

    /// <summary>The first week, the second, the rest of the month, and what lies beyond it.</summary>
    private static int Group(int ahead) => ahead < 7 ? 0 : ahead < 14 ? 1 : ahead < 28 ? 2 : 3;

    private static double Unit(double forecast) => Math.Sqrt(Math.Max(1, forecast));
}
