using Forecasting.Ssa;

namespace Forecasting.Daily;

/// <summary>SSA of small fixed rank on what is left when the weekdays' shares are taken off, continued by the signal's own motion with its roots held at one.</summary>
/// <param name="days">Window in calendar days.</param>
/// <param name="rank">Components kept: 1 follows the level, 3 a level and a yearly wave.</param>
internal sealed class AdjustedSsa(int days, int rank) : IMethod
{
    private const int Year = 364;

    /// <summary>Of the directions: a forecast of hundreds of visits is then right to a hundredth of one.</summary>
    private const double Tolerance = 1e-5;

    public string Name => $"SSA {days} days, rank {rank}";

    public int MinimumWeeks => days == Year ? 104 : 8;

    public int MinimumWeeksOnTrial => days == Year ? 72 : 8;

    public double[] Forecast(OpenDays past, ReadOnlySpan<byte> ahead) => Forecast(past, ahead, near: null, out _);

    /// <summary>The directions of one point are nearly those of the next: each search starts at the last one's end.</summary>
    public IEnumerable<double[]> ForecastEach(IEnumerable<(OpenDays Past, ReadOnlyMemory<byte> Ahead)> points)
    {
        IReadOnlyList<double[]>? near = null;
        foreach (var (past, ahead) in points)
        {
            yield return Forecast(past, ahead.Span, near, out near);
        }
    }

    private double[] Forecast(OpenDays past, ReadOnlySpan<byte> ahead, IReadOnlyList<double[]>? near, out IReadOnlyList<double[]> directions)
    {
        var profile = WeekdayProfile.Of(past.Values.Span, past.Weekdays.Span, past.PerWeek);
        var rest = past.Values.ToArray();
        for (var i = 0; i < rest.Length; i++)
        {
            rest[i] -= profile[past.Weekdays.Span[i]];
        }
        var window = Math.Clamp(days * past.PerWeek / 7, 2, rest.Length - 1);
        var ssa = SsaDecomposition.Decompose(rest, window, Math.Min(rank, window), near, Tolerance);
        directions = ssa.Directions;
        // Where SSA has nothing to say, not-a-number tells the mix to leave it out.
        var forecast = SignalShift.Of([.. ssa.Directions])?.Damped(1)?.Continue(rest, ahead.Length) ?? [.. Enumerable.Repeat(double.NaN, ahead.Length)];
        for (var h = 0; h < forecast.Length; h++)
        {
            forecast[h] += profile[ahead[h]];
        }
        return forecast;
    }
}
