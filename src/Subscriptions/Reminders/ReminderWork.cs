using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Leases;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Sending;

namespace Subscriptions.Reminders;

/// <summary>
/// The work of reminders in one process: follows changes as a member of its group, and sends what is due. Any number of processes share it:
/// each takes turns at shards that nobody else is at. Nothing runs while nothing is due.
/// </summary>
public sealed class ReminderWork
{
    /// <summary>How often it is looked for what is due, and for what other processes have planned.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>What this process plans is looked for sooner, but not after each of its commits.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>A turn at a shard; then somebody else may have it.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(5);

    /// <summary>Shards that one process works at, so that those of others have some too.</summary>
    private const int MostTurns = 4;

    private readonly IEventLog _events;
    private readonly LeasedJobs _jobs;
    private readonly ReminderPlanner _planner;
    private readonly MessageSender _sender;
    private readonly ChangeSignal _due;
    private readonly IMessageObserver? _observer;
    private readonly ReminderOptions _options;
    private readonly TimeProvider _clock;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<byte, long> _elsewhere = new();

    internal ReminderWork(
        IEventLog events, LeasedJobs jobs, ReminderPlanner planner, MessageSender sender, ChangeSignal due, IMessageObserver? observer, ReminderOptions options, TimeProvider clock) =>
        (_events, _jobs, _planner, _sender, _due, _observer, _options, _clock) = (events, jobs, planner, sender, due, observer, options, clock);

    /// <summary>Until cancelled.</summary>
    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(_events.FollowAsync(ReminderPlanner.Group, _planner, stopping), SendAlwaysAsync(stopping));

    private async Task SendAlwaysAsync(CancellationToken stopping)
    {
        var turns = new Dictionary<byte, Task>();
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                var planned = _due.Next;
                await LookAsync(turns, stopping);
                await Task.Delay(LookAgain, _clock, stopping);
                await Task.WhenAny([planned, Task.Delay(Look, _clock, stopping), .. turns.Values]);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to stop.
        }
        finally
        {
            await Task.WhenAll(turns.Values); // what was claimed is sent
        }
    }

    /// <summary>Takes turns at what is due, as many at once as there may be.</summary>
    private async ValueTask LookAsync(Dictionary<byte, Task> turns, CancellationToken stopping)
    {
        foreach (var (shard, turn) in turns.ToArray())
        {
            if (turn.IsCompleted)
            {
                turns.Remove(shard);
            }
        }
        var shards = Enumerable.Range(0, ReminderRecords.Shards).Select(shard => (byte)shard).ToArray();
        Random.Shared.Shuffle(shards); // so that processes begin at different ones
        foreach (var shard in shards)
        {
            if (turns.Count >= MostTurns)
            {
                return; // the end of a turn is waited for
            }
            if (turns.ContainsKey(shard) || (_elsewhere.TryGetValue(shard, out var seen) && _clock.GetElapsedTime(seen) < Look))
            {
                continue;
            }
            try
            {
                if (await _sender.IsAnyDueAsync(shard, stopping))
                {
                    turns.Add(shard, Task.Run(() => TakeTurnAsync(shard, stopping), CancellationToken.None));
                }
            }
            catch (StoreUnavailableException)
            {
                return; // looked at again in a second
            }
        }
    }

    private async Task TakeTurnAsync(byte shard, CancellationToken stopping)
    {
        try
        {
            if (!await _jobs.TryTakeTurnAsync($"messages-{shard}", SendAsync, stopping))
            {
                _elsewhere[shard] = _clock.GetTimestamp(); // another process is at it
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            _observer?.Failed(error);
        }
        catch (OperationCanceledException)
        {
            // Told to stop, or the turn was over.
        }

        async Task SendAsync(CancellationToken mine)
        {
            using var over = new CancellationTokenSource(Turn, _clock);
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(mine, over.Token);
            await _sender.SendDueAsync(shard, Math.Max(1, _options.MaxParallelSends / MostTurns), enough.Token);
        }
    }
}
