namespace Forecasting.Daily;

/// <summary>What the forecaster noticed. Those of <see cref="DailyForecast.Distrusted"/> mean: do not plan on this alone.</summary>
[Flags]
public enum Doubts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>No open day with a known count: zeros are served.</summary>
    NoHistory = 1,

    /// <summary>Less than two weeks: a plain mean is served.</summary>
    UnderTwoWeeks = 1 << 1,

    /// <summary>Less than eight weeks: a weekday mean is served.</summary>
    UnderEightWeeks = 1 << 2,

    /// <summary>Some counts were not known and were filled in from their neighbours.</summary>
    Gaps = 1 << 3,

    /// <summary>More than a fifth of the days were not known.</summary>
    ManyGaps = 1 << 4,

    /// <summary>Negative, infinite or impossibly large counts were treated as not known.</summary>
    ImpossibleCounts = 1 << 5,

    /// <summary>Lone counts far above all others were held down before learning.</summary>
    Spikes = 1 << 6,

    /// <summary>Nothing is known of the last week or longer.</summary>
    Stale = 1 << 7,

    /// <summary>All counts are the same, so accuracy has no scale.</summary>
    Constant = 1 << 8,

    /// <summary>Weekdays that never bring anything were taken for closed.</summary>
    QuietWeekdays = 1 << 9,

    /// <summary>Tried on the recent past, this would not have beaten the 8-week weekday mean.</summary>
    NoBetterThanMean = 1 << 10,

    /// <summary>A method ran away and was left out.</summary>
    MethodLeftOut = 1 << 11,

    /// <summary>Too few past forecasts to measure the uncertainty; the intervals are those of a simple count.</summary>
    AssumedIntervals = 1 << 12,

    /// <summary>The last fortnight lies far outside what was forecast for it: something changed.</summary>
    RecentShift = 1 << 13,

    /// <summary>Parts made on their own were changed to add up.</summary>
    Reconciled = 1 << 14,
}

/// <summary>One day ahead.</summary>
/// <param name="Day">The day.</param>
/// <param name="Value">Expected count, finite and not negative; 0 when closed.</param>
/// <param name="IsOpen">Whether the service works on this day.</param>
public readonly record struct ForecastDay(DateOnly Day, double Value, bool IsOpen);

/// <summary>The days ahead of a series, with what they are worth.</summary>
/// <param name="Method">Which method or mix served, by name.</param>
/// <param name="Days">In order, closed ones too.</param>
/// <param name="Doubts">What was noticed.</param>
public sealed record DailyForecast(string Method, IReadOnlyList<ForecastDay> Days, Doubts Doubts)
{
    /// <summary>The doubts that mean: do not plan on this alone.</summary>
    public const Doubts Distrusted = Doubts.NoHistory | Doubts.UnderTwoWeeks | Doubts.UnderEightWeeks | Doubts.ManyGaps | Doubts.Stale | Doubts.NoBetterThanMean | Doubts.RecentShift;

    /// <summary>Mean absolute error of this method on forecasts of the same length over the last half year, in units of the error of repeating the last week (one step, whole history); <see langword="null"/> when there was nothing to try it on.</summary>
    /// <remarks>The mix is weighed on part of the same days, so this is a little kind to it.</remarks>
    public double? Mase { get; init; }

    /// <summary>The same of the weekday mean of 8 weeks, on the same days.</summary>
    public double? MeanMase { get; init; }

    /// <summary>Each method's share in the mix.</summary>
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double>();

    /// <summary>Whether it did better than the weekday mean of 8 weeks.</summary>
    public bool? BeatsMean => Mase is { } ours && MeanMase is { } mean ? ours < mean : null;

    /// <summary>Whether a plan may lean on it.</summary>
    public bool IsTrusted => (Doubts & Distrusted) == 0;

    /// <summary>How far a day's count may lie from what is expected.</summary>
    public required IntervalTable DayWidths { get; init; }

    /// <summary>The same of a week's sum.</summary>
    public required IntervalTable WeekWidths { get; init; }

    /// <summary>The interval that holds this day's count with the given probability; a closed day's is [0, 0].</summary>
    /// <param name="index">Into <see cref="Days"/>.</param>
    /// <param name="percent">50…99.</param>
    public (double Lower, double Upper) Interval(int index, int percent)
    {
        var day = Days[index];
        if (!day.IsOpen)
        {
            return (0, 0);
        }
        var half = DayWidths.HalfWidth(index, day.Value, percent);
        return (Math.Max(0, day.Value - half), day.Value + half);
    }

    /// <summary>The interval that holds the sum of some days in a row with the given probability. Of less than a week it is rather too wide.</summary>
    /// <param name="index">Of the first day.</param>
    /// <param name="days">1…7.</param>
    /// <param name="percent">50…99.</param>
    public (double Lower, double Upper) IntervalOfSum(int index, int days, int percent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(days, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(days, 7);
        var (sum, isOpen) = (0.0, false);
        for (var i = index; i < index + days; i++)
        {
            (sum, isOpen) = (sum + Days[i].Value, isOpen || Days[i].IsOpen);
        }
        if (!isOpen)
        {
            return (0, 0);
        }
        var half = Math.Max(WeekWidths.HalfWidth(index, sum, percent), days < 7 ? DayWidths.HalfWidth(index, sum, percent) : 0);
        return (Math.Max(0, sum - half), sum + half);
    }
}
