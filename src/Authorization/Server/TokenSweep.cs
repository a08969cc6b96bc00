using Authorization.Launch;
using Authorization.Records;
using Authorization.SelfRegistration;
using Authorization.Stores;
using FhirStore.Leases;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenIddict.Core;

namespace Authorization.Server;

/// <summary>Removes the rows of tokens, authorizations, launches, one-time values and unapproved registrations that are of no use any more.</summary>
internal sealed partial class TokenSweep(LeasedJobs jobs, IServiceScopeFactory scopes, OneTimeValues used, Launches launches, AppRegistrations registrations, TimeProvider clock, ILogger<TokenSweep> logger) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <returns>How many rows went.</returns>
    public async Task<long> RunOnceAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var threshold = clock.GetUtcNow();
        var tokens = await scope.ServiceProvider.GetRequiredService<OpenIddictTokenManager<OAuthToken>>().PruneAsync(threshold, ct);
        return tokens + await used.SweepAsync(ct) + await launches.SweepAsync(ct) + await registrations.SweepAsync(ct) + await scope.ServiceProvider.GetRequiredService<OpenIddictAuthorizationManager<OAuthAuthorization>>().PruneAsync(threshold, ct);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => jobs.RunAsync("token-sweep", SweepAlwaysAsync, stoppingToken);

    private async Task SweepAlwaysAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(ct))
        {
            try
            {
                var removed = await RunOnceAsync(ct);
                LogRemoved(logger, removed);
            }
            catch (Exception trouble) when (trouble is not OperationCanceledException)
            {
                LogTrouble(logger, trouble); // the rows wait for the next round
            }
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Removed {Count} expired token rows.")]
    private static partial void LogRemoved(ILogger logger, long count);

    [LoggerMessage(2, LogLevel.Warning, "Expired token rows could not be removed; trying again later.")]
    private static partial void LogTrouble(ILogger logger, Exception trouble);
}
