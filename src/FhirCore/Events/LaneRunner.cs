using System.Collections.Immutable;
using FhirCore.Records;

namespace FhirCore.Events;

/// <param name="Offset">Where the engine goes on behind it; 0 where it needs none.</param>
public readonly record struct PlacedEvent(ResourceEvent Event, long Offset);

/// <summary>Told what becomes of events on their way to a handler.</summary>
public interface IEventObserver
{
    void Handled(string group, int events, TimeSpan oldest);

    /// <summary>It is tried again.</summary>
    void Failed(string group, string lane, Exception why);

    void SetAside(DeadEvent dead);
}

/// <summary>
/// One lane's events through a handler, for every log: retried while the engine is away, given one by one when they cannot be handled
/// together, set aside when one cannot be handled at all, and the lane's progress written with what became of them.
/// </summary>
/// <param name="setAside">Keeps an event that nobody could handle, in one commit with the write given, or before it.</param>
public sealed class LaneRunner(
    IRecordStore records, EventGroup group, string lane, IEventHandler handler, Func<DeadEvent, RecordWrite, CancellationToken, Task> setAside,
    IEventObserver? observer, TimeProvider clock)
{
    /// <summary>Events that came to nothing move the progress in steps of this many changes, and when the log has nothing else to do.</summary>
    public const int LazyRows = 1_000;

    private const int MostAttempts = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Known after <see cref="OpenAsync"/>.</summary>
    public EventProgress Progress { get; private set; } = new(EventProgress.KeyOf(group.Name, lane), 0, 0, 0);

    /// <summary>Asks where the lane stands: at the start, and again after a <see cref="LaneLostException"/>.</summary>
    public async Task<EventProgress> OpenAsync(CancellationToken ct) => Progress = await EventProgress.ReadAsync(records, Progress.Key, ct).ConfigureAwait(false);

    /// <summary>Events in their order; when it returns they are handled or set aside, and the progress says so.</summary>
    /// <param name="endSequence">Up to here there is nothing else for the group.</param>
    /// <exception cref="LaneLostException">Somebody else follows the lane.</exception>
    public async Task RunAsync(ImmutableArray<PlacedEvent> events, long endSequence, long endOffset, CancellationToken ct)
    {
        if (events.IsEmpty)
        {
            await MoveAsync(endSequence, endOffset, ct).ConfigureAwait(false);
            return;
        }
        var why = await TryAsync(events, endSequence, endOffset, events.Length == 1 ? MostAttempts : 1, ct).ConfigureAwait(false);
        if (why is null)
        {
            return;
        }
        for (var i = 0; i < events.Length; i++)
        {
            var last = i == events.Length - 1;
            var (sequence, offset) = last ? (endSequence, endOffset) : (events[i].Event.Change.Sequence, events[i].Offset);
            if (events.Length > 1)
            {
                why = await TryAsync([events[i]], sequence, offset, MostAttempts, ct).ConfigureAwait(false);
            }
            if (why is not null)
            {
                var dead = new DeadEvent(group.Name, lane, events[i].Event, why.GetType().Name);
                await SetAsideAsync(dead, sequence, offset, ct).ConfigureAwait(false);
            }
        }
    }

    /// <returns>Null when they are handled; otherwise what the handler threw last.</returns>
    private async Task<Exception?> TryAsync(ImmutableArray<PlacedEvent> events, long endSequence, long endOffset, int attempts, CancellationToken ct)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            var (write, then) = Progress.To(endSequence, endOffset, clock.GetUtcNow());
            var batch = new EventBatch(lane, [.. events.Select(placed => placed.Event)], write);
            try
            {
                await handler.HandleAsync(batch, ct).ConfigureAwait(false);
                if (batch.IsCommitted)
                {
                    Progress = then;
                }
                else if (!batch.IsIdle || endSequence - Progress.Sequence > LazyRows)
                {
                    await MoveAsync(endSequence, endOffset, ct).ConfigureAwait(false);
                }
                observer?.Handled(group.Name, events.Length, clock.GetUtcNow() - events[0].Event.Change.At);
                return null;
            }
            catch (Exception error) when (!ct.IsCancellationRequested && error is not LaneLostException)
            {
                observer?.Failed(group.Name, lane, error);
                if (batch.IsCommitted)
                {
                    Progress = then;
                    return null;
                }
                if (error is StoreUnavailableException)
                {
                    attempt--; // the events are not to blame
                }
                else if (attempt >= attempts)
                {
                    return error;
                }
            }
            await Task.Delay(pause, clock, ct).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task SetAsideAsync(DeadEvent dead, long sequence, long offset, CancellationToken ct)
    {
        var (write, then) = Progress.To(sequence, offset, clock.GetUtcNow());
        await setAside(dead, write, ct).ConfigureAwait(false);
        Progress = then;
        observer?.SetAside(dead);
    }

    private async Task MoveAsync(long sequence, long offset, CancellationToken ct)
    {
        if (sequence == Progress.Sequence && offset == Progress.Offset)
        {
            return;
        }
        var (write, then) = Progress.To(sequence, offset, clock.GetUtcNow());
        if (await records.CommitAsync(Commit.Of(write), ct).ConfigureAwait(false) is not CommitResult.Done)
        {
            throw new LaneLostException(lane);
        }
        Progress = then;
    }
}
