using FhirServer.Observability;
using Forecasting;
using Forecasting.NoShow;
using Forecasting.Series;

namespace FhirServer.Forecasting;

/// <summary>How far the forecasts are: appointments counted, forecasts made, time spent.</summary>
internal sealed class ForecastMetrics(ForecastingParts parts, ForecastingJobs jobs) : IMetricsSource
{
    private volatile NoShowSummary? _model;

    public void Write(MetricsText text)
    {
        text.Counter("fhir_forecast_counted_total", "Appointments looked at for the series, by what made it necessary.")
            .Add(parts.Tally.Of(LoadWork.Events), ("by", "event"))
            .Add(parts.Tally.Of(LoadWork.Recount), ("by", "recount"));
        text.Counter("fhir_forecast_recounts_total", "Times that everything was counted again.", parts.Tally.Recounts);
        var progress = jobs.Progress;
        text.Gauge("fhir_forecast_round", "Forecasts of the round under way, or of the last one.")
            .Add(progress.Done, ("state", "done"))
            .Add(progress.Total, ("state", "total"));
        if (progress.Finished is { } finished)
        {
            text.Gauge("fhir_forecast_round_finished_seconds", "When the last whole round ended, Unix time.", finished.ToUnixTimeSeconds());
        }
        text.Counter("fhir_forecast_computing_seconds_total", "Time spent computing, on a thread of its own.", Math.Round(parts.Thread.Busy.TotalSeconds, 3));
        if (_model is { } model)
        {
            text.Gauge("fhir_no_show_model", "The latest model of missed visits: its number, or 0 where it is not used.", model.Refused is null ? model.Number : 0);
            text.Gauge("fhir_no_show_visits", "Visits that it was learned from.", model.Decided);
        }
    }

    /// <summary>Told by whoever trains.</summary>
    public void Trained(NoShowSummary model) => _model = model;
}
