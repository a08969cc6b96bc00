using FhirCore.Events;
using FhirServer.Observability;
using FhirStore.Leases;
using Forecasting;
using Forecasting.NoShow;

namespace FhirServer.Forecasting;

/// <summary>What the role <c>forecasting</c> does: counts visits as they change, counts all again where there is cause, makes the day's forecasts, learns the risk of missed visits.</summary>
internal sealed class ForecastWork(ForecastingJobs work, IEventLog events, LeasedJobs jobs, ForecastMetrics metrics, ILogger<ForecastWork> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        events.FollowAsync(ForecastingJobs.Group, work.Handler, stoppingToken),
        jobs.HoldAsync("forecasting-recount", ct => work.RecountAsync(() => ForecastLog.Recounted(logger), ct), stoppingToken),
        jobs.HoldAsync("forecasting-round", ct => work.WarmAsync(IsBehindAsync, ct), stoppingToken),
        jobs.HoldAsync("forecasting-training", ct => work.TrainAsync(IsBehindAsync, Trained, ct), stoppingToken));

    private void Trained(NoShowSummary model)
    {
        metrics.Trained(model);
        if (model is { Refused: null, Reliability: { } found })
        {
            ForecastLog.Trained(logger, model.Number, model.Decided, model.Method!, found.Auc, found.Brier, found.BrierOfRate);
        }
        else
        {
            ForecastLog.NotTrained(logger, model.Refused!);
        }
    }

    private async ValueTask<bool> IsBehindAsync(CancellationToken ct) => (await events.LagAsync(ForecastingJobs.Group.Name, ct)).Any(lane => lane.Events > 0);
}

internal static partial class ForecastLog
{
    [LoggerMessage(70, LogLevel.Information, "All appointments were counted again for the forecasts.")]
    public static partial void Recounted(ILogger logger);

    [LoggerMessage(71, LogLevel.Information, "Model {Number} of missed visits is in use: {Method}, learned from {Visits} visits; on later ones AUC {Auc:0.000}, Brier score {Brier:0.0000} where the usual share has {Usual:0.0000}.")]
    public static partial void Trained(ILogger logger, int number, int visits, string method, double auc, double brier, double usual);

    [LoggerMessage(72, LogLevel.Information, "Nobody is told a risk of missed visits. {Why}")]
    public static partial void NotTrained(ILogger logger, string why);
}
