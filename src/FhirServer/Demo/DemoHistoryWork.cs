using System.Globalization;
using FhirServer.Observability;
using FhirStore.Leases;

namespace FhirServer.Demo;

/// <summary>
/// Writes the demo's past once the server is ready, newest weeks first and slowly enough that nobody waits for it. A week is one commit, so
/// a start that finds a week's first visit leaves that week alone.
/// </summary>
internal sealed class DemoHistoryWork(
    DemoSeeder seeder, Readiness readiness, LeasedJobs jobs, DemoOptions options, TextWriter output, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (readiness.Phase == ProcessPhase.Starting)
            {
                await Task.Delay(LookEvery, clock, stoppingToken);
            }
            await jobs.RunOnceAsync("demo-history", WriteAsync, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // Told to stop: the next start goes on.
        }
    }

    private async Task WriteAsync(CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var written = await seeder.SeedHistoryAsync(options.Seed, options.HistoryWeeks, ct);
        if (written > 0)
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"Demo: {options.HistoryWeeks} weeks of past visits, {written} resources in {clock.GetElapsedTime(began).TotalSeconds:0} s."));
        }
    }
}
