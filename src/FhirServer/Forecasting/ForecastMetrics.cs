using System.Globalization;
using System.Text;
using FhirServer.Observability;
using Forecasting;
using Forecasting.NoShow;
using Forecasting.Series;

namespace FhirServer.Forecasting;

/// <summary>How far the forecasts are: appointments counted, forecasts made, time spent.</summary>
internal sealed class ForecastMetrics(ForecastingParts parts, ForecastingJobs jobs) : IMetricsSource
{
    private volatile NoShowSummary? _model;

    public void Write(StringBuilder text)
    {
        text.Append("# HELP fhir_forecast_counted_total Appointments looked at for the series, by what made it necessary.\n# TYPE fhir_forecast_counted_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_forecast_counted_total{{by=\"event\"}} {parts.Tally.Of(LoadWork.Events)}\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_forecast_counted_total{{by=\"recount\"}} {parts.Tally.Of(LoadWork.Recount)}\n");
        text.Append("# HELP fhir_forecast_recounts_total Times that everything was counted again.\n# TYPE fhir_forecast_recounts_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_forecast_recounts_total {parts.Tally.Recounts}\n");
        var progress = jobs.Progress;
        text.Append("# HELP fhir_forecast_round Forecasts of the round under way, or of the last one.\n# TYPE fhir_forecast_round gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_forecast_round{{state=\"done\"}} {progress.Done}\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_forecast_round{{state=\"total\"}} {progress.Total}\n");
        if (progress.Finished is { } finished)
        {
            text.Append("# HELP fhir_forecast_round_finished_seconds When the last whole round ended, Unix time.\n# TYPE fhir_forecast_round_finished_seconds gauge\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_forecast_round_finished_seconds {finished.ToUnixTimeSeconds()}\n");
        }
        text.Append("# HELP fhir_forecast_computing_seconds_total Time spent computing, on a thread of its own.\n# TYPE fhir_forecast_computing_seconds_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_forecast_computing_seconds_total {parts.Thread.Busy.TotalSeconds:0.###}\n");
        if (_model is { } model)
        {
            text.Append("# HELP fhir_no_show_model The latest model of missed visits: its number, or 0 where it is not used.\n# TYPE fhir_no_show_model gauge\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_no_show_model {(model.Refused is null ? model.Number : 0)}\n");
            text.Append("# HELP fhir_no_show_visits Visits that it was learned from.\n# TYPE fhir_no_show_visits gauge\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_no_show_visits {model.Decided}\n");
        }
    }

    /// <summary>Told by whoever trains.</summary>
    public void Trained(NoShowSummary model) => _model = model;
}
