using Forecasting.Ssa;

namespace Forecasting.Daily;

/// <summary>SSA of small fixed rank on what is left when the weekdays' shares are taken off, continued by the signal's own motion with its roots held at one.</summary>
/// <param name="days">Window in calendar days.</param>
/// <param name="rank">Components kept: 1 follows the level, 3 a level and a yearly wave.</param>
internal sealed class AdjustedSsa(int days, int rank) : IMethod
{
    private const int Year = 364;

    /// <summary>A year's directions hardly turn in a month: so many trials on the past, a week apart, share what the first of them found.</summary>
    private const int SharedBy = 4;

    public string Name => $"SSA {days} days, rank {rank}";

    public int MinimumWeeks => days == Year ? 104 : 8;

    public int MinimumWeeksOnTrial => days == Year ? 72 : 8;

    public double[] Forecast(OpenDays past, ReadOnlySpan<byte> ahead)
    {
        var (levels, profile) = WithoutWeekdays(past);
        return Continue(levels, profile, Motion(levels, past.PerWeek, near: null, out _), ahead);
    }

    /// <summary>The last point, which is the one that counts, gets directions of its own. The search for them starts from the ones before.</summary>
    public IEnumerable<double[]> ForecastEach(IReadOnlyList<(OpenDays Past, ReadOnlyMemory<byte> Ahead)> points)
    {
        IReadOnlyList<double[]>? near = null;
        SignalShift? motion = null;
        for (var i = 0; i < points.Count; i++)
        {
            var (levels, profile) = WithoutWeekdays(points[i].Past);
            if (days < Year || i % SharedBy == 0 || i == points.Count - 1)
            {
                motion = Motion(levels, points[i].Past.PerWeek, near, out near);
            }
            yield return Continue(levels, profile, motion, points[i].Ahead.Span);
        }
    }

    private static (double[] Levels, double[] Profile) WithoutWeekdays(OpenDays past)
    {
        var profile = WeekdayProfile.Of(past.Values.Span, past.Weekdays.Span, past.PerWeek);
        var levels = past.Values.ToArray();
        for (var i = 0; i < levels.Length; i++)
        {
            levels[i] -= profile[past.Weekdays.Span[i]];
        }
        return (levels, profile);
    }

    private SignalShift? Motion(double[] levels, int perWeek, IReadOnlyList<double[]>? near, out IReadOnlyList<double[]> directions)
    {
        var window = Math.Clamp(days * perWeek / 7, 2, levels.Length - 1);
        directions = SsaDecomposition.Decompose(levels, window, Math.Min(rank, window), near, Effort.ForNoisyCounts).Directions;
        return SignalShift.Of([.. directions])?.Damped(1);
    }

    private static double[] Continue(double[] levels, double[] profile, SignalShift? motion, ReadOnlySpan<byte> ahead)
    {
        // Where SSA has nothing to say, not-a-number tells the mix to leave it out.
        var forecast = motion?.Continue(levels, ahead.Length) ?? [.. Enumerable.Repeat(double.NaN, ahead.Length)];
        for (var h = 0; h < forecast.Length; h++)
        {
            forecast[h] += profile[ahead[h]];
        }
        return forecast;
    }
}
