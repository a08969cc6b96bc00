using Auditing;
using Auditing.Keeping;
using Auditing.Trail;
using FhirCore.Records;
using FhirServer.Observability;
using FhirStore.Leases;

namespace FhirServer.Auditing;

/// <summary>Runs the trail's writer as long as the process lives, and what is left of its queue when requests have ended.</summary>
internal sealed class AuditWriting(AuditTrail trail, AuditOptions options, ILogger<AuditWriting> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _giveUp = new();
    private Task _writing = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Enabled)
        {
            _writing = Task.Run(() => trail.WriteAsync(_stopping.Token, _giveUp.Token), CancellationToken.None);
        }
        else
        {
            AuditLines.Off(logger);
        }
        return Task.CompletedTask;
    }

    /// <summary>Called after the last request: services stop in the reverse order of their start, and the one that listens starts last.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await using var late = cancellationToken.Register(_giveUp.Cancel);
        await _writing;
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _giveUp.Dispose();
    }
}

/// <summary>Removes events whose time is over, once a day, in one process.</summary>
internal sealed class AuditRetention(LeasedJobs jobs, RetentionSweep sweep, TimeProvider clock, ILogger<AuditRetention> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => jobs.RunAsync("audit-retention", SweepAlwaysAsync, stoppingToken);

    private async Task SweepAlwaysAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            if (await sweep.SweepAsync(ct) is > 0 and var removed)
            {
                AuditLines.Removed(logger, removed);
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }
}

/// <summary>What the log and the metrics say of the trail: counts and times.</summary>
internal sealed class AuditObserver(ILogger<AuditTrail> logger) : IAuditObserver
{
    private long _entries;
    private long _blocks;
    private long _bytes;
    private long _ticks;
    private long _failures;

    public void Stored(int entries, int bytes, TimeSpan took)
    {
        Interlocked.Add(ref _entries, entries);
        Interlocked.Increment(ref _blocks);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Add(ref _ticks, took.Ticks);
    }

    public void Failed(Exception why)
    {
        Interlocked.Increment(ref _failures);
        if (why is StoreUnavailableException or OperationCanceledException)
        {
            AuditLines.Waits(logger);
        }
        else
        {
            AuditLines.Failed(logger, Fault.Describe(why));
        }
    }

    public void Recovered() => AuditLines.Recovered(logger);

    public void Lost(int entries) => AuditLines.Lost(logger, entries);

    public void Write(MetricsText text, int waiting)
    {
        text.Counter("fhir_audit_events_total", "Audit events stored.", Volatile.Read(ref _entries));
        text.Counter("fhir_audit_blocks_total", "Blocks they were stored in.", Volatile.Read(ref _blocks));
        text.Counter("fhir_audit_bytes_total", "Bytes of the blocks before packing.", Volatile.Read(ref _bytes));
        text.Counter("fhir_audit_store_seconds_total", "Time spent on storing them.", TimeSpan.FromTicks(Volatile.Read(ref _ticks)).TotalSeconds);
        text.Counter("fhir_audit_failures_total", "Times that storing began to fail.", Volatile.Read(ref _failures));
        text.Gauge("fhir_audit_events_waiting", "Events that are not stored yet.", waiting);
    }
}

internal static partial class AuditLines
{
    [LoggerMessage(60, LogLevel.Warning, "Audit:Enabled is false: no access is recorded.")]
    public static partial void Off(ILogger logger);

    [LoggerMessage(61, LogLevel.Error, "Audit events wait: the store does not answer. Requests are refused when that lasts longer than Audit:MaxDelay.")]
    public static partial void Waits(ILogger logger);

    [LoggerMessage(62, LogLevel.Critical, "Audit events cannot be stored: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);

    [LoggerMessage(63, LogLevel.Information, "Audit events are stored again.")]
    public static partial void Recovered(ILogger logger);

    [LoggerMessage(64, LogLevel.Critical, "{Count} audit events are lost: the process ended before the store came back.")]
    public static partial void Lost(ILogger logger, int count);

    [LoggerMessage(65, LogLevel.Information, "{Count} blocks of audit events were removed: their time was over.")]
    public static partial void Removed(ILogger logger, long count);
}
