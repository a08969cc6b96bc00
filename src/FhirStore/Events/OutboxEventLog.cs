using System.Collections.Immutable;
using FhirCore.Events;
using FhirCore.Pacing;
using FhirCore.Records;
using FhirStore.Leases;

namespace FhirStore.Events;

/// <summary>The change log itself as event log: one lane for each group, followed by one process at a time.</summary>
/// <param name="poll">How often commits of other processes are looked for; those of this one wake the followers at once. From 10 ms on.</param>
public sealed class OutboxEventLog(
    IRecordStore records, LeasedJobs jobs, ChangeSignal signal, TimeSpan poll, BackgroundPace pace, IEventObserver? observer, TimeProvider clock) : IEventLog
{
    private const string Lane = EventProgress.AllLanes;

    /// <summary>Changes that concern nobody in the group move its progress after <see cref="LaneRunner.LazyRows"/>, or so long.</summary>
    private static readonly TimeSpan LazyTime = TimeSpan.FromSeconds(5);

    public async Task FollowAsync(EventGroup group, IEventHandler handler, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(group);
        group.ThrowIfWrong();
        observer?.Follows(group.Name);
        try
        {
            // Not under the lease: "now" is when the first member asks, however long another process keeps the lane.
            await GroupBeginning.WriteAsync(records, group, observer, clock, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        await jobs.HoldAsync($"events-{group.Name}", owned => RunAsync(group, handler, owned), ct);
    }

    public async ValueTask<IReadOnlyList<LaneLag>> LagAsync(string group, CancellationToken ct)
    {
        var progress = await EventProgress.ReadAsync(records, EventProgress.KeyOf(group, Lane), ct);
        return [await records.LagAsync(Lane, progress.Sequence, clock, ct)];
    }

    private async Task RunAsync(EventGroup group, IEventHandler handler, CancellationToken ct)
    {
        var runner = new LaneRunner(records, group, Lane, handler, SetAsideAsync, observer, clock);
        while (true)
        {
            var elsewhere = await HandledElsewhere.ReadAsync(records, group.Name, ct);
            await runner.OpenAsync(ct);
            try
            {
                await FollowAsync(group, runner, elsewhere, ct);
            }
            catch (LaneLostException)
            {
                // A process that was late to stop moved the progress once more: go on from there.
            }
        }
    }

    private async Task FollowAsync(EventGroup group, LaneRunner runner, HandledElsewhere elsewhere, CancellationToken ct)
    {
        var position = runner.Progress.Sequence;
        var moved = clock.GetTimestamp();
        var handled = 0;
        while (true)
        {
            await pace.TurnAsync(Math.Max(1, handled), ct);
            var changed = signal.Next;
            var rows = await records.ReadJournalAsync(position, group.MostEvents, ct);
            if (rows.Count > 0)
            {
                position = rows[^1].Change.Sequence;
            }
            var events = rows.Where(row => group.Wants(row.Change.Key.Type) && !elsewhere.Has(row.Change))
                .Select(row => new PlacedEvent(new(row.Change, row.Version), 0)).ToImmutableArray();
            handled = events.Length;
            if (!events.IsEmpty)
            {
                await runner.RunAsync(events, position, 0, ct);
            }
            if (position - runner.Progress.Sequence >= LaneRunner.LazyRows || clock.GetElapsedTime(moved) >= LazyTime)
            {
                await runner.RunAsync([], position, 0, ct); // what concerned nobody, or came to nothing
            }
            if (position == runner.Progress.Sequence)
            {
                moved = clock.GetTimestamp();
            }
            if (rows.Count == 0)
            {
                await Task.WhenAny(changed, Task.Delay(poll, clock, ct));
                ct.ThrowIfCancellationRequested();
            }
        }
    }

    private async Task SetAsideAsync(DeadEvent dead, RecordWrite progress, CancellationToken ct)
    {
        var result = await records.CommitAsync(Commit.Of(DeadEventRecord.Write(dead, clock), progress), ct);
        if (result is CommitResult.VersionConflict { Key.Type: DeadEventRecord.RecordType })
        {
            result = await records.CommitAsync(Commit.Of(progress), ct); // it was set aside before
        }
        if (result is not CommitResult.Done)
        {
            throw new LaneLostException(dead.Lane);
        }
    }
}
