using FhirServer.Observability;
using FhirStore.Leases;
using SchedulingOperations;
using SchedulingOperations.Booking;
using SchedulingOperations.Idempotency;

namespace FhirServer.Scheduling;

/// <summary>Ends holds whose time is over, also those of before a restart, and forgets old idempotency keys.</summary>
internal sealed class SchedulingSweeps(
    LeasedJobs jobs, HoldExpiry holds, IdempotencySweep keys, SchedulingOptions options, TimeProvider clock, ILogger<SchedulingSweeps> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => jobs.RunAsync("scheduling-sweeps", SweepAlwaysAsync, stoppingToken);

    private async Task SweepAlwaysAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(options.Hold.SweepInterval, clock);
        do
        {
            await SweepAsync(ct);
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>A sweep that fails is tried again at the next tick: an expired hold blocks nobody meanwhile.</summary>
    private async Task SweepAsync(CancellationToken ct)
    {
        try
        {
            if (await holds.SweepAsync(ct) is > 0 and var ended)
            {
                SweepLog.HoldsEnded(logger, ended);
            }
            await keys.SweepAsync(ct);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            SweepLog.Failed(logger, Fault.Describe(error));
        }
    }
}

internal static partial class SweepLog
{
    [LoggerMessage(30, LogLevel.Information, "{Count} holds ended")]
    public static partial void HoldsEnded(ILogger logger, int count);

    [LoggerMessage(31, LogLevel.Error, "A sweep failed: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);
}
