using System.Collections.Immutable;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Leases;

namespace FhirStore.Events;

/// <summary>The change log itself as event log: one lane for each group, followed by one process at a time.</summary>
/// <param name="poll">How often commits of other processes are looked for; those of this one wake the followers at once. From 10 ms on.</param>
public sealed class OutboxEventLog(
    IRecordStore records, LeasedJobs jobs, ChangeSignal signal, TimeSpan poll, IEventObserver? observer, TimeProvider clock) : IEventLog
{
    public const string Lane = "all";

    /// <summary>
    /// Changes that concern nobody in the group move its progress after so many, or so long: each by itself would cost a write of its own,
    /// and who takes over only reads them again.
    /// </summary>
    private const int LazyRows = 1_000;
    private static readonly TimeSpan LazyTime = TimeSpan.FromSeconds(5);

    public async Task FollowAsync(EventGroup group, IEventHandler handler, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(group);
        group.ThrowIfWrong();
        observer?.Follows(group.Name);
        try
        {
            // Not under the lease: "now" is when the first member asks, however long another process keeps the lane.
            await BeginAsync(group, NewRunner(group, handler), ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        await jobs.HoldAsync($"events-{group.Name}", owned => RunAsync(group, NewRunner(group, handler), owned), ct);
    }

    public async ValueTask<IReadOnlyList<LaneLag>> LagAsync(string group, CancellationToken ct)
    {
        var progress = await EventProgress.ReadAsync(records, EventProgress.KeyOf(group, Lane), ct);
        if (await records.ReadChangesAsync(progress.Sequence, 1, ct) is not [var next])
        {
            return [new(Lane, 0, TimeSpan.Zero)];
        }
        var behind = clock.GetUtcNow() - next.At;
        var waiting = Math.Max(1, await records.LastSequenceAsync(ct) - progress.Sequence);
        return [new(Lane, waiting, behind > TimeSpan.Zero ? behind : TimeSpan.Zero)];
    }

    private LaneRunner NewRunner(EventGroup group, IEventHandler handler) => new(records, group, Lane, handler, SetAsideAsync, observer, clock);

    /// <summary>Writes down where a group begins that begins now, so that it loses nothing if it dies before its first event.</summary>
    private async Task BeginAsync(EventGroup group, LaneRunner runner, CancellationToken ct)
    {
        while (group.Start == EventStart.Now && (await runner.OpenAsync(ct)).Version == 0)
        {
            try
            {
                await runner.RunAsync([], await records.SettledEndAsync(clock, ct), 0, ct);
            }
            catch (LaneLostException)
            {
                // Another member was first.
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(poll, clock, ct);
            }
        }
    }

    private async Task RunAsync(EventGroup group, LaneRunner runner, CancellationToken ct)
    {
        while (true)
        {
            await runner.OpenAsync(ct);
            try
            {
                await FollowAsync(group, runner, ct);
            }
            catch (LaneLostException)
            {
                // A process that was late to stop moved the progress once more: go on from there.
            }
        }
    }

    private async Task FollowAsync(EventGroup group, LaneRunner runner, CancellationToken ct)
    {
        var position = runner.Progress.Sequence;
        var moved = clock.GetTimestamp();
        while (true)
        {
            var changed = signal.Next;
            var rows = await records.ReadJournalAsync(position, group.MostEvents, ct);
            if (rows.Count > 0)
            {
                position = rows[^1].Change.Sequence;
            }
            var events = rows.Where(row => group.Wants(row.Change.Key.Type)).Select(row => new PlacedEvent(new(row.Change, row.Version), 0)).ToImmutableArray();
            if (!events.IsEmpty || position - runner.Progress.Sequence >= LazyRows || clock.GetElapsedTime(moved) >= LazyTime)
            {
                await runner.RunAsync(events, position, 0, ct);
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
