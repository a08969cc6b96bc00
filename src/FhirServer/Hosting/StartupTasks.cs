using FhirServer.Observability;

namespace FhirServer.Hosting;

/// <summary>Runs what comes after the start, then says that the server is ready; and that it is not, once it is told to stop.</summary>
internal sealed class StartupTasks(
    IEnumerable<IStartupTask> tasks, Readiness readiness, IHostApplicationLifetime lifetime, ILogger<StartupTasks> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var onStarted = lifetime.ApplicationStarted.Register(() =>
        {
            started.TrySetResult();
        });
        await using var onStopping = lifetime.ApplicationStopping.Register(() =>
        {
            readiness.Stopping();
            started.TrySetCanceled(CancellationToken.None);
        });
        try
        {
            await started.Task;
            foreach (var task in tasks)
            {
                await task.RunAsync(stoppingToken);
            }
            readiness.Started();
            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        catch (Exception error)
        {
            StartupLog.Failed(logger, Fault.Describe(error));
            throw;
        }
    }
}

internal static partial class StartupLog
{
    [LoggerMessage(10, LogLevel.Critical, "A task after the start failed: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);
}
