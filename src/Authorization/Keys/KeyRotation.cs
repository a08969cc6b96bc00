using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Authorization.Keys;

/// <summary>Looks now and then, in every process, whether a key is due or another process has made one.</summary>
internal sealed partial class KeyRotation(ServerKeys keys, TimeProvider clock, ILogger<KeyRotation> logger) : BackgroundService
{
    /// <summary>Much less than <see cref="ServerKeys.Lead"/>: every process knows a key long before it signs.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await keys.LoadAsync(stoppingToken);
            }
            catch (Exception trouble) when (trouble is not OperationCanceledException)
            {
                LogTrouble(logger, trouble); // the keys of the last round go on
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The signing keys could not be read; going on with those that are known.")]
    private static partial void LogTrouble(ILogger logger, Exception trouble);
}
