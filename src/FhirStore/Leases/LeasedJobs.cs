using System.Collections.Concurrent;
using FhirCore.Records;

namespace FhirStore.Leases;

/// <summary>How this process takes part in background jobs.</summary>
/// <param name="Runs">False leaves all jobs to other processes.</param>
/// <param name="SoleProcess">The engine lets no other process in, so the jobs are this one's without asking.</param>
/// <param name="LeaseTime">How long a job waits for another process after its owner's death, at most twice this; 3 seconds to 10 minutes.</param>
public sealed record LeasedJobsOptions(bool Runs, bool SoleProcess, TimeSpan LeaseTime)
{
    /// <summary>Ends every job of this process, as early as it knows that it is to stop.</summary>
    public CancellationToken Stopping { get; init; }

    public static TimeSpan DefaultLeaseTime { get; } = TimeSpan.FromSeconds(15);
}

/// <summary>Told what becomes of a job in this process.</summary>
public interface IJobObserver
{
    void Began(string job);

    void Ended(string job);

    /// <summary>The store does not answer, or the job itself threw. It is tried again.</summary>
    void Failed(string job, Exception why);
}

/// <summary>
/// Runs each background job in one process at a time. A job is given a token that ends when the process stops, or when it could not
/// renew its lease within two thirds of the lease time.
/// </summary>
/// <remarks>
/// A process that was suspended may run a few steps more before it learns that its time is over. So a job changes things only by
/// commits that name the versions it read, and is right even when two processes do it at once: docs/decisions/0080.
/// </remarks>
public sealed class LeasedJobs(IRecordStore records, LeasedJobsOptions options, TimeProvider clock, IJobObserver? observer = null)
{
    private static readonly TimeSpan LongestRelease = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, bool> _states = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lease> _turns = new(StringComparer.Ordinal);

    /// <summary>The jobs this process takes part in, and whether it is the one that does them.</summary>
    public IEnumerable<KeyValuePair<string, bool>> States => _states;

    /// <summary>Does the job for as long as it is this process's to do; one that returns or throws is begun again after a pause.</summary>
    /// <param name="work">Ends soon after its token does.</param>
    public Task RunAsync(string job, Func<CancellationToken, Task> work, CancellationToken stopping) =>
        options.Runs ? HoldAsync(job, work, stopping) : Task.CompletedTask;

    /// <summary>The same for a job that has a role of its own, whatever part this process takes in the others.</summary>
    public Task HoldAsync(string job, Func<CancellationToken, Task> work, CancellationToken stopping) => HoldAsync(job, work, once: false, stopping);

    /// <summary>Does something that every process does at its start, one process after another.</summary>
    /// <exception cref="OperationCanceledException">Told to stop before it was done.</exception>
    public async Task RunOnceAsync(string job, Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        await HoldAsync(job, work, once: true, stopping);
        stopping.ThrowIfCancellationRequested();
        options.Stopping.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// Takes a turn at a job that any process may do for a while, where nobody else is at it. To be called again and again: that a process
    /// died in the middle of its turn is found out by looking twice, the lease time apart. One caller at a time for a job.
    /// </summary>
    /// <param name="work">Ends by itself, soon, so that others get their turn.</param>
    /// <returns>False where another process has its turn.</returns>
    public async Task<bool> TryTakeTurnAsync(string job, Func<CancellationToken, Task> work, CancellationToken caller)
    {
        ArgumentNullException.ThrowIfNull(work);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(caller, options.Stopping);
        if (options.SoleProcess)
        {
            await work(either.Token);
            return true;
        }
        var lease = _turns.GetOrAdd(job, static (name, self) => new Lease(self.Records, name, self.LeaseTime, self.Clock), (Records: records, options.LeaseTime, Clock: clock));
        if (!await TryHoldAsync(lease, job, throws: false, either.Token))
        {
            return false;
        }
        try
        {
            using var lost = new CancellationTokenSource(lease.Left, clock);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(either.Token, lost.Token);
            var doing = Task.Run(() => work(end.Token), CancellationToken.None);
            await RenewAsync(lease, job, doing, lost, end.Token);
            await doing;
        }
        finally
        {
            await ReleaseAsync(lease, job);
        }
        return true;
    }

    private async Task HoldAsync(string job, Func<CancellationToken, Task> work, bool once, CancellationToken caller)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(caller, options.Stopping);
        var stopping = either.Token;
        _states[job] = false;
        var lease = options.SoleProcess ? null : new Lease(records, job, options.LeaseTime, clock);
        var pause = lease?.LookEvery ?? options.LeaseTime / 15;
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                if ((lease is null || await TryHoldAsync(lease, job, once, stopping)) && await DoAsync(lease, job, work, once, stopping) && once)
                {
                    return;
                }
                await Task.Delay(pause, clock, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to stop.
        }
        finally
        {
            _states.TryRemove(job, out _);
            if (lease is not null)
            {
                await ReleaseAsync(lease, job);
            }
        }
    }

    /// <returns>Whether the work came to its end by itself.</returns>
    private async Task<bool> DoAsync(Lease? lease, string job, Func<CancellationToken, Task> work, bool once, CancellationToken stopping)
    {
        using var lost = lease is null ? new CancellationTokenSource() : new CancellationTokenSource(lease.Left, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, lost.Token);
        _states[job] = true;
        observer?.Began(job);
        var doing = Task.Run(() => work(end.Token), CancellationToken.None);
        try
        {
            if (lease is not null)
            {
                await RenewAsync(lease, job, doing, lost, end.Token);
            }
            await doing;
            return !end.IsCancellationRequested;
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception why) when (!once || why is StoreUnavailableException)
        {
            observer?.Failed(job, why);
            return false;
        }
        finally
        {
            _states[job] = false;
            observer?.Ended(job);
        }
    }

    /// <summary>Returns when the job has ended or is no longer this process's.</summary>
    private async Task RenewAsync(Lease lease, string job, Task doing, CancellationTokenSource lost, CancellationToken end)
    {
        var wait = lease.RenewEvery;
        while (true)
        {
            await Task.WhenAny(doing, Task.Delay(wait, clock, end));
            if (doing.IsCompleted || end.IsCancellationRequested)
            {
                return;
            }
            var renewed = await TryHoldAsync(lease, job, throws: false, end);
            if (!lease.IsOwned)
            {
                await lost.CancelAsync();
                return;
            }
            lost.CancelAfter(lease.Left);
            wait = renewed ? lease.RenewEvery : lease.LookEvery;
        }
    }

    /// <param name="throws">A damaged lease is told to the caller, who waits for the job.</param>
    private async Task<bool> TryHoldAsync(Lease lease, string job, bool throws, CancellationToken ct)
    {
        try
        {
            return await lease.TryHoldAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception why) when (!throws || why is StoreUnavailableException)
        {
            observer?.Failed(job, why);
            return false;
        }
    }

    private async Task ReleaseAsync(Lease lease, string job)
    {
        using var limit = new CancellationTokenSource(LongestRelease, clock);
        try
        {
            await lease.ReleaseAsync(limit.Token);
        }
        catch (Exception why) when (why is StoreUnavailableException or StoreCorruptException or OperationCanceledException)
        {
            observer?.Failed(job, why); // others wait for the lease time
        }
    }
}
