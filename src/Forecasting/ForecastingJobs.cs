using FhirCore.Events;
using Forecasting.NoShow;
using Forecasting.Series;
using Forecasting.Serving;

namespace Forecasting;

/// <summary>What goes on in the background where this room has a role: each by one process at a time, in small steps, resumable.</summary>
public sealed class ForecastingJobs(ForecastingParts parts)
{
    /// <summary>Whose events <see cref="Handler"/> takes.</summary>
    public static EventGroup Group => LoadFollower.Group;

    /// <summary>Keeps the series up to date.</summary>
    public IEventHandler Handler => parts.Follower;

    /// <summary>How far the day's forecasts are made.</summary>
    public WarmProgress Progress => parts.Warmer.Progress;

    /// <summary>Counts everything again when there is a cause, until cancelled.</summary>
    /// <param name="done">Told after each whole recount.</param>
    public Task RecountAsync(Action done, CancellationToken ct) => parts.Recount.RunAsync(done, ct);

    /// <summary>Makes the day's forecasts ahead of those who ask, until cancelled.</summary>
    /// <param name="isBehind">Whether events wait to be counted.</param>
    public Task WarmAsync(Func<CancellationToken, ValueTask<bool>> isBehind, CancellationToken ct) => parts.Warmer.RunAsync(isBehind, ct);

    /// <summary>The latest model of missed visits; null where nothing was learned so far.</summary>
    public async ValueTask<NoShowSummary?> NoShowAsync(CancellationToken ct) => await parts.Models.LatestAsync(ct) is { } model ? NoShowSummary.Of(model) : null;

    /// <summary>Learns the risk of missed visits whenever it is time, until cancelled. Where the settings have it off it only waits.</summary>
    /// <param name="done">Told of each training.</param>
    public Task TrainAsync(Func<CancellationToken, ValueTask<bool>> isBehind, Action<NoShowSummary> done, CancellationToken ct) =>
        parts.Options.NoShowRisk ? parts.Training.RunAsync(isBehind, done, ct) : Task.Delay(Timeout.Infinite, ct);
}
