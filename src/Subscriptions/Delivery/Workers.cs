using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using FhirCore;
using FhirCore.Records;
using Subscriptions.Feeds;

namespace Subscriptions.Delivery;

/// <summary>
/// Which processes deliver, so that each takes its part of the shards and no more. It only balances: that a shard is one process's at a
/// time is its lease's doing, so a clock that is wrong, or a view that is late, costs a pause and nothing else.
/// </summary>
/// <param name="every">How often a process says that it is there. One that has said nothing for three times as long counts no more.</param>
public sealed class Workers(IRecordStore records, TimeSpan every, TimeProvider clock)
{
    public const string RecordType = "_SubscriptionWorker";
    private readonly string _me = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    public TimeSpan Every => every;

    /// <summary>Says that this process is there, and looks who else is.</summary>
    /// <returns>The shards that are this process's to take.</returns>
    public async ValueTask<ImmutableHashSet<int>> MeetAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await SignAsync(now, ct);
        var there = new List<string> { _me };
        var page = await records.QueryAsync(new(RecordType, Predicate.Everything, RecordOrder.ById, null, 1_000), ct);
        foreach (var worker in page.Records)
        {
            if (worker.Key.Id != _me && worker.LastUpdated > now - (every * 3))
            {
                there.Add(worker.Key.Id);
            }
            else if (worker.LastUpdated < now - (every * 100))
            {
                await records.CommitAsync(new([], [new RecordCondition.VersionIs(worker.Key, worker.Version)], [worker.Key]), ct);
            }
        }
        return [.. Enumerable.Range(0, Shards.Count).Where(shard => Chosen(shard, there) == _me)];
    }

    /// <summary>Lets the others take over at once.</summary>
    public async ValueTask LeaveAsync(CancellationToken ct)
    {
        var key = new ResourceKey(RecordType, _me);
        if (await records.GetAsync(key, ct) is { } record)
        {
            await records.CommitAsync(new([], [new RecordCondition.VersionIs(key, record.Version)], [key]), ct);
        }
    }

    /// <summary>The highest of hashes: a process more or less moves its own shards and no others.</summary>
    internal static string Chosen(int shard, IReadOnlyList<string> workers)
    {
        var (chosen, highest) = (workers[0], -1L);
        foreach (var worker in workers)
        {
            var hash = BitConverter.ToUInt32(SHA256.HashData(Encoding.ASCII.GetBytes($"{worker}/{shard}")));
            if (hash > highest || (hash == highest && string.CompareOrdinal(worker, chosen) > 0))
            {
                (chosen, highest) = (worker, hash);
            }
        }
        return chosen;
    }

    private async ValueTask SignAsync(DateTimeOffset now, CancellationToken ct)
    {
        var key = new ResourceKey(RecordType, _me);
        var version = (await records.GetAsync(key, ct))?.Version ?? 0;
        var record = new StoredRecord
        {
            Key = key,
            Version = version + 1,
            LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)).ToUniversalTime(),
            Partition = _me,
            Body = new byte[] { 1 },
        };
        await records.CommitAsync(Commit.Of(new RecordWrite(record, version, Journal: false, "worker")), ct);
    }
}
