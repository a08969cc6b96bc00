using System.Collections.Immutable;
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

    public Task FollowAsync(EventGroup group, IEventHandler handler, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(group);
        return jobs.HoldAsync($"events-{group.Name}", owned => RunAsync(group, handler, owned), ct);
    }

    public async ValueTask<IReadOnlyList<LaneLag>> LagAsync(string group, CancellationToken ct)
    {
        var progress = await EventProgress.ReadAsync(records, EventProgress.KeyOf(group, Lane), ct);
        var next = await records.ReadChangesAsync(progress.Sequence, 1, ct);
        var behind = next.Count == 0 ? TimeSpan.Zero : clock.GetUtcNow() - next[0].At;
        var waiting = next.Count == 0 ? 0 : await records.LastSequenceAsync(ct) - progress.Sequence;
        return [new(Lane, waiting, behind > TimeSpan.Zero ? behind : TimeSpan.Zero)];
    }

    private async Task RunAsync(EventGroup group, IEventHandler handler, CancellationToken ct)
    {
        var runner = new LaneRunner(records, group, Lane, handler, SetAsideAsync, observer, clock);
        while (true)
        {
            var position = (await runner.OpenAsync(ct)).Sequence;
            if (runner.Progress.Version == 0 && group.Start == EventStart.Now)
            {
                position = await records.LastSequenceAsync(ct);
                await runner.RunAsync([], position, 0, ct);
            }
            try
            {
                await FollowAsync(group, runner, position, ct);
            }
            catch (LaneLostException)
            {
                // A process that was late to stop moved the progress once more: go on from there.
            }
        }
    }

    private async Task FollowAsync(EventGroup group, LaneRunner runner, long position, CancellationToken ct)
    {
        while (true)
        {
            var changed = signal.Next;
            var rows = await records.ReadJournalAsync(position, group.MostEvents, ct);
            if (rows.Count == 0)
            {
                var woken = await Task.WhenAny(changed, Task.Delay(poll, clock, ct));
                ct.ThrowIfCancellationRequested();
                if (woken != changed)
                {
                    await runner.RunAsync([], position, 0, ct); // in a quiet moment: a commit for each of others' commits would double them
                }
                continue;
            }
            position = rows[^1].Change.Sequence;
            var events = rows.Where(row => group.Wants(row.Change.Key.Type)).Select(row => new PlacedEvent(new(row.Change, row.Version), 0)).ToImmutableArray();
            if (!events.IsEmpty || position - runner.Progress.Sequence > LaneRunner.LazyRows)
            {
                await runner.RunAsync(events, position, 0, ct);
            }
        }
    }

    private async Task SetAsideAsync(DeadEvent dead, RecordWrite progress, CancellationToken ct)
    {
        if (await records.CommitAsync(Commit.Of(DeadEventRecord.Write(dead, clock), progress), ct) is not CommitResult.Done)
        {
            throw new LaneLostException(dead.Lane);
        }
    }
}
