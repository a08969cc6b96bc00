using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using Storage.Contract;

namespace Events.Contract;

/// <summary>Makes things happen: records of several types and partitions come, change and go.</summary>
public sealed class Clinic(IRecordStore store)
{
    private static readonly string[] Types = ["Appointment", "Patient", "Slot"];
    private int _made;

    /// <summary>One commit with one new record.</summary>
    public async Task<string> MakeAsync(string type = "Appointment", string partition = "p1")
    {
        var key = NewKey(type);
        await CommitAsync(A.Write(A.Record(key, partition: partition, body: $"body of {key}")));
        return $"{key}/1";
    }

    /// <summary>Some commits by several writers at once, over a dozen partitions.</summary>
    /// <param name="events">At least so many.</param>
    public Task HappenAsync(int events, int seed = 1, int writers = 3) => Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(async () =>
    {
        var random = new Random((seed * 100) + w);
        var mine = new List<StoredRecord>();
        for (var done = 0; done < (events + writers - 1) / writers;)
        {
            var writes = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Next(random, mine)).DistinctBy(write => write.Record.Key).ToArray();
            await CommitAsync(writes);
            foreach (var write in writes)
            {
                mine.RemoveAll(record => record.Key == write.Record.Key);
                mine.Add(write.Record);
            }
            done += writes.Length;
        }
    })));

    /// <summary>Nothing of it is left but the change.</summary>
    public async Task EraseAsync(string id) =>
        Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Removing(new ResourceKey(id.Split('/')[0], id.Split('/')[1])), default));

    /// <returns>Page → lines that a <see cref="Ledger"/> must have, from what the change log says.</returns>
    public async Task<IReadOnlyDictionary<string, string[]>> ExpectedAsync(EventGroup group, long after = 0, Func<ResourceEvent, bool>? but = null)
    {
        ArgumentNullException.ThrowIfNull(group);
        var expected = new List<ResourceEvent>();
        while (await store.ReadJournalAsync(after, 500, default) is { Count: > 0 } rows)
        {
            after = rows[^1].Change.Sequence;
            expected.AddRange(rows.Select(row => new ResourceEvent(row.Change, row.Version)).Where(row => group.Wants(row.Change.Key.Type) && but?.Invoke(row) is not true));
        }
        return expected.GroupBy(Ledger.PageOf).ToDictionary(page => page.Key, page => page.Select(Ledger.Line).ToArray(), StringComparer.Ordinal);
    }

    private RecordWrite Next(Random random, List<StoredRecord> mine)
    {
        if (mine.Count == 0 || random.Next(2) == 0)
        {
            var type = Types[random.Next(Types.Length)];
            return A.Write(A.Record(NewKey(type), partition: $"p{random.Next(12)}", body: $"body {random.Next()}"));
        }
        var seen = mine[random.Next(mine.Count)];
        return A.Write(seen.Deleted || random.Next(4) > 0
            ? A.Record(seen.Key, seen.Version + 1, $"body {random.Next()}", partition: seen.Partition)
            : A.Tombstone(seen.Key, seen.Version + 1) with { Partition = seen.Partition });
    }

    private ResourceKey NewKey(string type) => A.Key($"n{Interlocked.Increment(ref _made)}", type);

    private async Task CommitAsync(params RecordWrite[] writes) => Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit(writes), default));
}
