using FhirServer.Observability;
using FhirStore.Slots;

namespace FhirServer.Scheduling;

/// <summary>Makes the free slots of schedules in use ready again after bookings. Only where a cache is shared: alone, a process reads its store as fast.</summary>
internal sealed class SlotWarming(SlotWarmer warmer, TimeProvider clock, ILogger<SlotWarming> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        var failed = false;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await warmer.RunAsync(stoppingToken);
                    failed = false;
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    if (!failed)
                    {
                        SlotWarmingLog.Failed(logger, Fault.Describe(error)); // once, not four times a second
                    }
                    failed = true;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
    }
}

internal static partial class SlotWarmingLog
{
    [LoggerMessage(32, LogLevel.Warning, "Free slots could not be made ready; searches read the store: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);
}
