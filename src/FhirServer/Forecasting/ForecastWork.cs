using FhirCore.Events;
using FhirServer.Observability;
using FhirStore.Leases;
using Forecasting;

namespace FhirServer.Forecasting;

/// <summary>What the role <c>forecasting</c> does: counts visits as they change, counts all again where there is cause, makes the day's forecasts.</summary>
internal sealed class ForecastWork(ForecastingJobs work, IEventLog events, LeasedJobs jobs, ILogger<ForecastWork> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        events.FollowAsync(ForecastingJobs.Group, work.Handler, stoppingToken),
        jobs.HoldAsync("forecasting-recount", ct => work.RecountAsync(() => ForecastLog.Recounted(logger), ct), stoppingToken),
        jobs.HoldAsync("forecasting-round", ct => work.WarmAsync(IsBehindAsync, ct), stoppingToken));

    private async ValueTask<bool> IsBehindAsync(CancellationToken ct) => (await events.LagAsync(ForecastingJobs.Group.Name, ct)).Any(lane => lane.Events > 0);
}

internal static partial class ForecastLog
{
    [LoggerMessage(70, LogLevel.Information, "All appointments were counted again for the forecasts.")]
    public static partial void Recounted(ILogger logger);
}
