namespace Forecasting.Daily;

/// <summary>
/// The daily load ahead: several simple methods, mixed by how well each would have forecast the recent past, with intervals as wide as its errors were.
/// A pure function of its arguments, bounded in time whatever the length and content of the series. Why these methods: docs/decisions/0121-which-methods-are-mixed.md.
/// </summary>
public static class DailyForecaster
{
    /// <summary>Days ahead that may be asked for.</summary>
    public const int LongestHorizon = 366;

    /// <summary>Days looked back on: five years, for holidays; methods learn from the last two.</summary>
    internal const int LongestHistory = 5 * 366;

    /// <summary>Weeks that methods learn from.</summary>
    internal const int LearningWeeks = 104;

    private static readonly WeekdayMean Mean = new(8);

    /// <summary>The mean stands in for the year until there are two of them.</summary>
    private static IMethod[] MethodsFor(int weeks) => weeks switch
    {
        < 8 => [Mean],
        < LearningWeeks => [Mean, new AdjustedSsa(28, 1), new LevelSmoother()],
        _ => [new AdjustedSsa(28, 1), new AdjustedSsa(364, 3), new LevelSmoother()],
    };

    /// <param name="series">Any length, any content.</param>
    /// <param name="calendar">Of the past and of the days ahead.</param>
    /// <param name="horizon">Days, 1…<see cref="LongestHorizon"/>, from <see cref="DailySeries.End"/> on.</param>
    public static DailyForecast Forecast(DailySeries series, ServiceCalendar calendar, int horizon)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(horizon, LongestHorizon);
        var history = History.Of(series, calendar, LongestHistory);
        var values = history.Days.Values;
        var weeks = Weeks(history, series.End);
        if (weeks < 2 || history.Doubts.HasFlag(Doubts.NoHistory))
        {
            return PlainMean(history, series.End, horizon);
        }
        var methods = MethodsFor(weeks);
        var trial = Trial.Run(history, series.End.DayNumber, horizon, methods, Mean);
        var doubts = history.Doubts | trial.Doubts
            | (weeks < 8 ? Doubts.UnderEightWeeks : Doubts.None)
            | (values.Span.IndexOfAnyExcept(values.Span[0]) < 0 ? Doubts.Constant : Doubts.None);
        return new(trial.MethodName, Days(history, series.End, horizon, trial.Ahead), doubts)
        {
            Mase = trial.Mase,
            MeanMase = trial.MeanMase,
            Weights = trial.Weights,
            DayWidths = trial.DayWidths,
            WeekWidths = trial.WeekWidths,
        };
    }

    /// <summary>Weeks of open days. Two years in which holidays and absences closed some of them are two years all the same.</summary>
    private static int Weeks(History history, DateOnly end)
    {
        var weeks = history.Days.Count / history.Days.PerWeek;
        var calendar = history.DayNumbers.Length == 0 ? 0 : (end.DayNumber - history.DayNumbers[0]) / 7;
        return calendar >= LearningWeeks && weeks >= LearningWeeks * 9 / 10 ? LearningWeeks : weeks;
    }

    /// <summary>Too little for a weekday's own mean.</summary>
    private static DailyForecast PlainMean(History history, DateOnly end, int horizon)
    {
        var values = history.Days.Values.Span;
        var mean = 0.0;
        foreach (var value in values)
        {
            mean += value / values.Length;
        }
        var ahead = new double[horizon];
        Array.Fill(ahead, mean);
        var doubts = history.Doubts | Doubts.UnderTwoWeeks | Doubts.AssumedIntervals;
        return new("plain mean", Days(history, end, horizon, ahead), doubts) 
        {
            DayWidths = ConformalIntervals.Of([], Spread.Of(history.Days), ConformalIntervals.OfDays).ToTable(),
            WeekWidths = ConformalIntervals.Of([], Spread.Of(history.Days), ConformalIntervals.OfWeeks).ToTable(),
        };
    }

    private static ForecastDay[] Days(History history, DateOnly end, int horizon, double[] ahead)
    {
        var days = new ForecastDay[horizon];
        var next = 0;
        for (var i = 0; i < horizon; i++)
        {
            var day = end.AddDays(i);
            var isOpen = history.IsOpen(day);
            days[i] = new(day, isOpen ? Math.Max(0, ahead[next++]) * history.FactorOf(day) : 0, isOpen);
        }
        return days;
    }
}
