using FhirStore.Leases;
using FhirStore.Sealed;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Authorization.Accounts;

/// <summary>Removes sessions, codes, invitations and counts that are over.</summary>
internal sealed partial class AccountSweep(
    SealedRecords<StoredSession> sessions, SealedRecords<StoredFlow> flows, SealedRecords<StoredInvitation> invitations, SealedRecords<FailedSignIns> failures,
    LeasedJobs jobs, TimeProvider clock, ILogger<AccountSweep> logger) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <returns>How many records went.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct) =>
        await RemoveAsync(sessions, ct) + await RemoveAsync(flows, ct) + await RemoveAsync(invitations, ct) + await RemoveAsync(failures, ct);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => jobs.RunAsync("account-sweep", SweepAlwaysAsync, stoppingToken);

    private async Task<int> RemoveAsync<T>(SealedRecords<T> records, CancellationToken ct)
        where T : class
    {
        var removed = 0;
        await foreach (var old in records.QueryAsync(EndsField.Before(clock.GetUtcNow()), ct))
        {
            removed += await records.TryRemoveAsync(old.Id, old.Version, ct) ? 1 : 0;
        }
        return removed;
    }

    private async Task SweepAlwaysAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(ct))
        {
            try
            {
                LogRemoved(logger, await RunOnceAsync(ct));
            }
            catch (Exception trouble) when (trouble is not OperationCanceledException)
            {
                LogTrouble(logger, trouble); // they wait for the next round
            }
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Removed {Count} records of sessions, codes and invitations that were over.")]
    private static partial void LogRemoved(ILogger logger, int count);

    [LoggerMessage(2, LogLevel.Warning, "Sessions, codes and invitations that are over could not be removed; trying again later.")]
    private static partial void LogTrouble(ILogger logger, Exception trouble);
}
