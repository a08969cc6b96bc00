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

    /// <summary>Days ahead at which another group begins: the first week, the second, the rest of the month, and what lies beyond it.</summary>
    public static readonly int[] OfDays = [7, 14, 28];

    /// <summary>Sums over weeks: there are a seventh as many of them.</summary>
    public static readonly int[] OfWeeks = [28];

    private readonly double[][] _scores;
    private readonly int[] _bounds;
    private readonly double _assumed;

    private ConformalIntervals(double[][] scores, int[] bounds, double assumed) => (_scores, _bounds, _assumed) = (scores, bounds, assumed);

    public bool IsAssumed => _scores.All(group => group.Length < Enough);

    /// <param name="errors">Days ahead (0 the first) and the error's score: see <see cref="Score"/>.</param>
    /// <param name="spread">Deviation to assume while errors are few, in units of √(expected count), ≥ 1.</param>
    public static ConformalIntervals Of(IEnumerable<(int Ahead, double Score)> errors, double spread, int[] bounds)
    {
        var groups = new List<double>[bounds.Length + 1];
        for (var i = 0; i < groups.Length; i++)
        {
            groups[i] = [];
        }
        foreach (var (ahead, score) in errors)
        {
            groups[Group(bounds, ahead)].Add(score);
        }
        return new(Array.ConvertAll(groups, group => group.Order().ToArray()), bounds, Math.Max(1, spread));
    }

    public static double Score(double truth, double forecast) => Math.Abs(truth - forecast) / Unit(forecast);

    /// <summary>Half-widths for whole percents.</summary>
    public IntervalTable ToTable() => new(_bounds, [.. Enumerable.Range(0, _bounds.Length + 1).Select(group =>
        IntervalTable.Percents.Select(percent => Factor(group, percent / 100.0)).ToArray())]);

    internal static double Unit(double forecast) => Math.Sqrt(Math.Max(1, forecast));

    internal static int Group(int[] bounds, int ahead)
    {
        var group = 0;
        while (group < bounds.Length && ahead >= bounds[group])
        {
            group++;
        }
        return group;
    }

    private double Factor(int index, double confidence)
    {
        var group = _scores[index];
        for (var nearer = index; group.Length < Enough && nearer > 0; nearer--)
        {
            group = _scores[nearer - 1]; // a longer look ahead than the past allowed to try
        }
        if (group.Length < Enough)
        {
            return Normal.InvCDF(0, 1, 0.5 + (confidence / 2)) * _assumed;
        }
        var rank = (int)Math.Ceiling((group.Length + 1) * confidence);
        return group[Math.Min(rank, group.Length) - 1];
    }
}
