namespace Forecasting.Daily;

/// <summary>Exponential smoothing of a level and of a share for each weekday, ETS(A,N,A). Both rates come from a grid: the pair with the least squared one-step error.</summary>
internal sealed class LevelSmoother : IMethod
{
    private static readonly double[] LevelRates = [0.01, 0.02, 0.04, 0.07, 0.11, 0.16, 0.23, 0.32, 0.45, 0.65];
    private static readonly double[] WeekdayRates = [0.0, 0.01, 0.03, 0.06, 0.12];

    public string Name => "level smoother";

    public int MinimumWeeks => 8;

    public double[] Forecast(OpenDays past, ReadOnlySpan<byte> ahead)
    {
        var values = past.Values.Span;
        var weekdays = past.Weekdays.Span;
        var firstWeeks = 4 * past.PerWeek;
        var shares = WeekdayProfile.Of(values[..firstWeeks], weekdays[..firstWeeks], past.PerWeek);
        var level = 0.0;
        foreach (var value in values[..firstWeeks])
        {
            level += value / firstWeeks;
        }
        var best = (Squares: double.MaxValue, Level: level, Shares: shares);
        Span<double> state = stackalloc double[7];
        foreach (var levelRate in LevelRates)
        {
            foreach (var weekdayRate in WeekdayRates)
            {
                shares.CopyTo(state);
                var (reached, squares) = Run(values, weekdays, level, state, levelRate, weekdayRate, firstWeeks, best.Squares);
                if (squares < best.Squares)
                {
                    best = (squares, reached, state.ToArray());
                }
            }
        }
        var forecast = new double[ahead.Length];
        for (var h = 0; h < ahead.Length; h++)
        {
            forecast[h] = best.Level + best.Shares[ahead[h]];
        }
        return forecast;
    }

    /// <summary>Runs through the past once and leaves the weekdays' shares as they end; gives up when the errors have grown beyond <paramref name="enough"/>.</summary>
    private static (double Level, double Squares) Run(
        ReadOnlySpan<double> values, ReadOnlySpan<byte> weekdays, double level, Span<double> shares, double levelRate, double weekdayRate, int unscored, double enough)
    {
        var squares = 0.0;
        for (var i = 0; i < values.Length && squares < enough; i++)
        {
            ref var share = ref shares[weekdays[i]];
            var error = values[i] - level - share;
            level += levelRate * error;
            share += weekdayRate * error;
            squares += i < unscored ? 0 : error * error; // the first weeks made the start they would be judged by
        }
        return (level, squares);
    }
}
