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
        var (least, best) = (double.MaxValue, new State());
        foreach (var level in LevelRates)
        {
            foreach (var weekday in WeekdayRates)
            {
                var state = Run(values, weekdays, past.PerWeek, level, weekday, out var squares);
                if (squares < least)
                {
                    (least, best) = (squares, state);
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

    private static State Run(ReadOnlySpan<double> values, ReadOnlySpan<byte> weekdays, int perWeek, double levelRate, double weekdayRate, out double squares)
    {
        var start = values[..(4 * perWeek)];
        var state = new State { Shares = WeekdayProfile.Of(start, weekdays[..(4 * perWeek)], perWeek) };
        foreach (var value in start)
        {
            state.Level += value / start.Length;
        }
        squares = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var error = values[i] - state.Level - state.Shares[weekdays[i]];
            state.Level += levelRate * error;
            state.Shares[weekdays[i]] += weekdayRate * error;
            if (i >= start.Length)
            {
                squares += error * error;
            }
        }
        return state;
    }

    private sealed class State
    {
        public double Level;
        public double[] Shares = new double[7];
    }
}
