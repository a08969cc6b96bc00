using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Leases;
using Subscriptions.Feeds;

namespace Subscriptions.Delivery;

/// <summary>This process's part in delivering: it takes its shards, gives back what others are to have, and holds each under a lease.</summary>
/// <param name="workers">Null where no other process can deliver.</param>
public sealed class DeliveryService(LeasedJobs jobs, ShardRunner runner, Workers? workers, TimeProvider clock)
{
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(2);

    public async Task RunAsync(CancellationToken ct)
    {
        if (workers is null)
        {
            await jobs.HoldAsync("subscriptions-delivery", owned => Task.WhenAll(Enumerable.Range(0, Shards.Count).Select(shard => runner.RunAsync(shard, owned))), ct);
            return;
        }
        var held = new Dictionary<int, (CancellationTokenSource End, Task Hold)>();
        try
        {
            while (!ct.IsCancellationRequested)
            {
                if (await MeetAsync(ct) is { } mine)
                {
                    await ShiftAsync(held, mine, ct);
                }
                await Task.Delay(workers.Every, clock, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Told to stop.
        }
        finally
        {
            await ShiftAsync(held, [], CancellationToken.None);
            await LeaveAsync();
        }
    }

    private Task HoldAsync(int shard, CancellationToken ct) => jobs.HoldAsync($"subscriptions-delivery-{shard}", owned => runner.RunAsync(shard, owned), ct);

    /// <returns>Null where the store does not answer: everything stays as it is.</returns>
    private async ValueTask<ImmutableHashSet<int>?> MeetAsync(CancellationToken ct)
    {
        try
        {
            return await workers!.MeetAsync(ct);
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    private async ValueTask ShiftAsync(Dictionary<int, (CancellationTokenSource End, Task Hold)> held, ImmutableHashSet<int> mine, CancellationToken ct)
    {
        var given = held.Where(pair => !mine.Contains(pair.Key)).ToArray();
        foreach (var (_, (end, _)) in given)
        {
            await end.CancelAsync();
        }
        foreach (var (shard, (end, hold)) in given)
        {
            await hold;
            end.Dispose();
            held.Remove(shard);
        }
        foreach (var shard in mine.Where(shard => !held.ContainsKey(shard)))
        {
            var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
            held.Add(shard, (end, HoldAsync(shard, end.Token)));
        }
    }

    private async ValueTask LeaveAsync()
    {
        using var limit = new CancellationTokenSource(LeaveLimit, clock);
        try
        {
            await workers!.LeaveAsync(limit.Token);
        }
        catch (Exception error) when (error is StoreUnavailableException or OperationCanceledException)
        {
            // The others wait until they have not heard of this process for long enough.
        }
    }
}
