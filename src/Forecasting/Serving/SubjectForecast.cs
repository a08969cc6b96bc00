using Forecasting.Daily;
using Forecasting.Series;

namespace Forecasting.Serving;

/// <summary>The load ahead of one subject, with what is known of it already.</summary>
/// <param name="Forecast">From <paramref name="Today"/> on.</param>
/// <param name="Counts">Of the past it was made from, and of what is booked ahead.</param>
/// <param name="Today">On the subject's clock.</param>
/// <param name="HistoryDays">Days it was made from.</param>
internal sealed record SubjectForecast(LoadSubject Subject, LoadMeasure Measure, DailyForecast Forecast, LoadCounts Counts, DateOnly Today, int HistoryDays)
{
    private const int WeeksOfOutcomes = 8;

    /// <summary>When it was computed.</summary>
    public required DateTimeOffset Made { get; init; }

    /// <summary>Of the last weeks' visits hardly any was ever said to have taken place or not: what was attended cannot be told.</summary>
    public bool LacksOutcomes
    {
        get
        {
            var (from, end) = (Today.AddDays(-7 * WeeksOfOutcomes), Today.AddDays(-1));
            var open = Counts.Of(VisitState.Booked, from, end);
            return Measure == LoadMeasure.Attended && open > Counts.Of(VisitState.Attended, from, end) + Counts.Of(VisitState.Missed, from, end);
        }
    }

    /// <summary>Days between booking and visit over the last weeks; null where none is known.</summary>
    public double? MeanLead => Counts.MeanLead(Today.AddDays(-7 * WeeksOfOutcomes), Today);

    public bool IsTrusted => Forecast.IsTrusted && !LacksOutcomes;

    /// <summary>Bookings that stand for these days.</summary>
    /// <param name="end">Excluded.</param>
    public int Booked(DateOnly from, DateOnly end) => Counts.Of(LoadMeasure.Booked, from, end);
}
