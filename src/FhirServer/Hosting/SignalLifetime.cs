using System.Runtime.InteropServices;
using FhirServer.Observability;
using FhirServer.Settings;

namespace FhirServer.Hosting;

/// <summary>
/// Stops on SIGTERM, SIGINT and SIGQUIT. At the first signal the process says that it is not ready and closes every connection after its
/// next answer, but goes on serving for <c>Server:DrainTime</c>, so that whoever balances the load has time to send requests elsewhere.
/// Then, or at a second signal, it stops listening and ends.
/// </summary>
internal sealed class SignalLifetime(
    ProcessSettings settings, Readiness readiness, ListeningSockets sockets, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<SignalLifetime> logger)
    : IHostLifetime, IDisposable
{
    /// <summary>For requests on connections that were begun just before no more were let in.</summary>
    private static readonly TimeSpan LastArrivals = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _enough = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _told;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
        {
            _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true; // the process ends when it has stopped, not now
                Stop();
            }));
        }
        return Task.CompletedTask;
    }

    /// <summary>What a signal does.</summary>
    public void Stop()
    {
        if (Interlocked.Increment(ref _told) > 1)
        {
            _enough.Cancel();
            return;
        }
        readiness.Stopping();
        if (settings.DrainTime > TimeSpan.Zero)
        {
            SignalLog.Draining(logger, settings.DrainTime);
        }
        _ = DrainAsync();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _signals.ForEach(signal => signal.Dispose());
        _enough.Dispose();
    }

    private async Task DrainAsync()
    {
        if (settings.DrainTime > TimeSpan.Zero)
        {
            await Task.Delay(settings.DrainTime, clock, _enough.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            sockets.RefuseNewConnections();
            await Task.Delay(LastArrivals, clock, _enough.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        lifetime.StopApplication();
    }
}

internal static partial class SignalLog
{
    [LoggerMessage(51, LogLevel.Information, "Told to stop: requests are served for {DrainTime} more.")]
    public static partial void Draining(ILogger logger, TimeSpan drainTime);
}
