using Auditing.Entries;
using FhirCore;
using FhirCore.Auditing;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Auditing.Trail;

/// <summary>
/// Where events go. They are never thrown away: when they cannot be stored for longer than <see cref="AuditOptions.MaxDelay"/>, or too
/// many wait, <see cref="Closed"/> says so and the caller lets no more requests in.
/// </summary>
public sealed class AuditTrail(
    IRecordStore records, RecordCipher cipher, IndexTokens tokens, AuditOptions options, TimeProvider clock, IAuditObserver observer)
    : ISecurityTrail, IEngineProbe
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    private static readonly FhirFailure ClosedFailure = FhirFailure.Of(
        FailureKind.Unavailable, "The audit trail cannot be written right now, and nothing is done that is not on record. Send the request again later.") with
    {
        RetryAfter = TimeSpan.FromSeconds(2),
    };

    private readonly EntryQueue _queue = new(Blocks.AuditBlock.Most);
    private readonly BlockWriter _writer = new(records, cipher, tokens, options, clock);
    private int _left;
    private long _storingSince;
    private bool _isFailing;

    /// <summary>Null where requests may be let in.</summary>
    public FhirFailure? Closed => IsStuck || Waiting >= options.MaxWaiting ? ClosedFailure : null;

    /// <summary>Entries that are not stored yet.</summary>
    public int Waiting => _queue.Count + Volatile.Read(ref _left);

    private bool IsStuck => Volatile.Read(ref _storingSince) is not 0 and var since && clock.GetElapsedTime(since) >= options.MaxDelay;

    string IEngineProbe.Engine => "Audit trail";

    bool IEngineProbe.IsRequired => true;

    ValueTask<string?> IEngineProbe.CheckAsync(CancellationToken ct) => new(Closed is null ? null : "Events cannot be stored.");

    /// <summary>Takes an event and returns at once.</summary>
    public void Record(AuditEntry entry) => _queue.Add(entry, null);

    /// <summary>Takes an event and waits until it is stored.</summary>
    /// <returns>False where that took too long; it is stored all the same, as soon as it can be.</returns>
    public async ValueTask<bool> RecordAsync(AuditEntry entry, CancellationToken ct)
    {
        var stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(entry, stored);
        try
        {
            await stored.Task.WaitAsync(options.MaxDelay, clock, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    ValueTask<bool> ISecurityTrail.RecordAsync(SecurityEvent happened, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(happened);
        return options.Enabled ? RecordAsync(SecurityEntries.Of(happened, clock.GetUtcNow()), ct) : new(true);
    }

    /// <summary>The one writer of this process: stores until <paramref name="stopping"/>, then what is left.</summary>
    /// <param name="giveUp">Ends also the last attempts.</param>
    public async Task WriteAsync(CancellationToken stopping, CancellationToken giveUp)
    {
        while (!stopping.IsCancellationRequested)
        {
            await _queue.Any.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            using (var early = CancellationTokenSource.CreateLinkedTokenSource(stopping))
            {
                await Task.WhenAny(_queue.Urgent, Task.Delay(options.FlushAfter, clock, early.Token));
                await early.CancelAsync();
            }
            await StoreAsync(giveUp);
        }
        while (_queue.Count > 0 && !giveUp.IsCancellationRequested)
        {
            await StoreAsync(giveUp);
        }
    }

    private async Task StoreAsync(CancellationToken giveUp)
    {
        var taken = _queue.TakeAll();
        Volatile.Write(ref _left, taken.Count);
        Volatile.Write(ref _storingSince, clock.GetTimestamp());
        for (var done = 0; done < taken.Count;)
        {
            var began = clock.GetTimestamp();
            try
            {
                var (entries, bytes) = await _writer.AppendAsync(taken, done, CancellationToken.None);
                Succeeded();
                observer.Stored(entries, bytes, clock.GetElapsedTime(began));
                for (var i = done; i < done + entries; i++)
                {
                    taken[i].Stored?.TrySetResult();
                }
                done += entries;
                Volatile.Write(ref _left, taken.Count - done);
                Volatile.Write(ref _storingSince, clock.GetTimestamp());
            }
            catch (Exception why) when (why is not OutOfMemoryException)
            {
                Failed(why);
                if (giveUp.IsCancellationRequested)
                {
                    observer.Lost(taken.Count - done);
                    return;
                }
                await Task.Delay(RetryAfter, clock, giveUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        Volatile.Write(ref _storingSince, 0);
    }

    private void Succeeded()
    {
        if (_isFailing)
        {
            _isFailing = false;
            observer.Recovered();
        }
    }

    private void Failed(Exception why)
    {
        if (!_isFailing)
        {
            _isFailing = true;
            observer.Failed(why); // once, not ten times a second
        }
    }
}
