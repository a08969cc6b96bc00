using Forecasting.Daily;

namespace Forecasting.Wire;

/// <summary>What the forecaster noticed, as codes for programs and as sentences for people.</summary>
internal static class DoubtTexts
{
    public const string System = "urn:fhir-server:forecast-doubt";

    /// <summary>Of the measure attended, where nobody says who came.</summary>
    public static readonly (string Code, string Text) LacksOutcomes =
        ("outcomes-missing", "Most visits of the last eight weeks were never marked as fulfilled or missed, so who came is not known. Use the measure booked.");

    private static readonly (Doubts Doubt, string Code, string Text)[] All =
    [
        (Doubts.NoHistory, "no-history", "There is no past visit to learn from: zeros are served."),
        (Doubts.UnderTwoWeeks, "under-two-weeks", "Less than two weeks of history: a plain mean is served."),
        (Doubts.UnderEightWeeks, "under-eight-weeks", "Less than eight weeks of history: a weekday mean is served."),
        (Doubts.Gaps, "gaps", "Some days were not known and were filled in from their neighbours."),
        (Doubts.ManyGaps, "many-gaps", "More than a fifth of the days were not known."),
        (Doubts.ImpossibleCounts, "impossible-counts", "Impossible counts were treated as not known."),
        (Doubts.Spikes, "spikes", "Lone counts far above all others were held down before learning."),
        (Doubts.Stale, "stale", "Nothing is known of the last week or longer."),
        (Doubts.Constant, "constant", "All counts are the same, so accuracy has no scale."),
        (Doubts.QuietWeekdays, "quiet-weekdays", "Weekdays on which nobody ever comes were taken for closed."),
        (Doubts.NoBetterThanMean, "no-better-than-mean", "Tried on the last half year, the 8-week weekday mean would have done better."),
        (Doubts.MethodLeftOut, "method-left-out", "One method ran away and was left out."),
        (Doubts.AssumedIntervals, "assumed-intervals", "Too few past forecasts to measure the uncertainty: the intervals assume that visits come by chance."),
        (Doubts.RecentShift, "recent-shift", "The last fortnight lies far outside what was forecast for it: something has changed."),
        (Doubts.Reconciled, "reconciled", "Changed so that parts and whole add up."),
    ];

    public static IEnumerable<(string Code, string Text)> Of(Doubts doubts) => All.Where(one => doubts.HasFlag(one.Doubt)).Select(one => (one.Code, one.Text));
}
