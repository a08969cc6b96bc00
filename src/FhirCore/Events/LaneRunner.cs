using System.Collections.Immutable;
using FhirCore.Records;

namespace FhirCore.Events;

/// <param name="Offset">Where the engine goes on behind it; 0 where it needs none.</param>
public readonly record struct PlacedEvent(ResourceEvent Event, long Offset);

/// <summary>
/// One lane's events through a handler, for every log: retried while the store is away, given one by one when they cannot be handled
/// together, set aside when one cannot be handled at all, and the lane's progress written with what became of them. One call at a time.
/// </summary>
/// <param name="setAside">Keeps an event that nobody could handle, in one commit with the write given, or before it.</param>
public sealed class LaneRunner(
    IRecordStore records, EventGroup group, string lane, IEventHandler handler, Func<DeadEvent, RecordWrite, CancellationToken, Task> setAside,
    IEventObserver? observer, TimeProvider clock)
{
    /// <summary>
    /// Changes that concern nobody in the group move its progress after so many: each by itself would cost a write of its own, and who
    /// takes over only reads them again.
    /// </summary>
    public const int LazyRows = 1_000;

    /// <summary>Over a second and a half: what a moment's trouble made fail is not set aside.</summary>
    private const int MostAttempts = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Known after <see cref="OpenAsync"/>.</summary>
    public EventProgress Progress { get; private set; } = new(EventProgress.KeyOf(group.Name, lane), 0, 0, 0, 0);

    /// <summary>What offsets belong to from now on (<see cref="EventProgress.Origin"/>).</summary>
    public long Origin { get; set; }

    /// <summary>Asks where the lane stands: at the start, and again after a <see cref="LaneLostException"/>.</summary>
    public Task<EventProgress> OpenAsync(CancellationToken ct) =>
        WhenThereAsync(async () => Progress = await EventProgress.ReadAsync(records, Progress.Key, ct).ConfigureAwait(false), ct);

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
        var resources = events.Select(placed => placed.Event).ToImmutableArray();
        var pause = FirstPause;
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var (write, then) = Progress.To(endSequence, endOffset, Origin, clock.GetUtcNow());
            var batch = new EventBatch(lane, resources, write);
            Exception? why = null;
            try
            {
                await handler.HandleAsync(batch, ct).ConfigureAwait(false);
            }
            catch (Exception error) when (!ct.IsCancellationRequested)
            {
                why = error;
            }
            if (batch.IsCommitted)
            {
                Progress = then;
            }
            else if (why is null && (!batch.IsIdle || endSequence - Progress.Sequence >= LazyRows))
            {
                await MoveAsync(endSequence, endOffset, ct).ConfigureAwait(false);
            }
            if (why is not null)
            {
                observer?.Failed(group.Name, lane, why);
            }
            if (why is null || batch.IsCommitted)
            {
                observer?.Handled(group.Name, events.Length, clock.GetUtcNow() - resources[0].Change.At);
                return null;
            }
            await ThrowIfLostAsync(why, ct).ConfigureAwait(false);
            if (why is not StoreUnavailableException && --attempts <= 0)
            {
                return why;
            }
            await Task.Delay(pause, clock, ct).ConfigureAwait(false);
            pause = Longer(pause);
        }
    }

    /// <summary>Looks whether it is so: a handler that says it of another conflict would be asked without end.</summary>
    private async Task ThrowIfLostAsync(Exception why, CancellationToken ct)
    {
        if (why is LaneLostException)
        {
            var now = await WhenThereAsync(() => EventProgress.ReadAsync(records, Progress.Key, ct).AsTask(), ct).ConfigureAwait(false);
            if (now.Version != Progress.Version)
            {
                throw new LaneLostException(lane);
            }
        }
    }

    private async Task SetAsideAsync(DeadEvent dead, long sequence, long offset, CancellationToken ct)
    {
        var (write, then) = Progress.To(sequence, offset, Origin, clock.GetUtcNow());
        await WhenThereAsync(
            async () =>
            {
                await setAside(dead, write, ct).ConfigureAwait(false);
                return Progress = then;
            },
            ct).ConfigureAwait(false);
        observer?.SetAside(dead);
    }

    private async Task MoveAsync(long sequence, long offset, CancellationToken ct)
    {
        if (Progress.Version > 0 && sequence == Progress.Sequence && offset == Progress.Offset && Origin == Progress.Origin)
        {
            return;
        }
        var (write, then) = Progress.To(sequence, offset, Origin, clock.GetUtcNow());
        // Not given up for being told to stop: what the handler has done would be told again, though nothing went wrong.
        if (await WhenThereAsync(() => records.CommitAsync(Commit.Of(write), CancellationToken.None), ct).ConfigureAwait(false) is not CommitResult.Done)
        {
            throw new LaneLostException(lane); // or our own write, whose answer was lost
        }
        Progress = then;
    }

    /// <summary>Tries until the store is there.</summary>
    private async Task<T> WhenThereAsync<T>(Func<Task<T>> ask, CancellationToken ct)
    {
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (StoreUnavailableException away)
            {
                ct.ThrowIfCancellationRequested();
                observer?.Failed(group.Name, lane, away);
            }
            await Task.Delay(pause, clock, ct).ConfigureAwait(false);
        }
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;
}
