using CsCheck;
using FhirCore;
using FhirCore.Records;

namespace Storage.Contract;

/// <summary>What <see cref="IStoreCopy"/> promises, for every adapter that offers it. Stores are named by numbers and begin empty.</summary>
public abstract class StoreCopyContract : IAsyncLifetime
{
    private static readonly string[] Types = ["Patient", "Slot", "_token", "Appointment"];

    /// <summary>What happens to one of a few records: written, deleted, removed, or written past the journal.</summary>
    private static readonly Gen<(string Type, string Id, int Kind)[]> AnyLife =
        Gen.Select(Gen.Int[0, 3].Select(i => Types[i]), Gen.Int[0, 5].Select(i => $"id-{i}"), Gen.Int[0, 9]).Array[0, 60];

    private readonly List<IRecordStore> _opened = [];

    protected virtual int Samples => 12;

    protected abstract ValueTask<IRecordStore> OpenAsync(int number);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var store in _opened)
        {
            await store.DisposeAsync();
        }
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Copy_OfAnyStore_ToAnyOther_AnswersAsTheOriginal() =>
        await Gen.Select(AnyLife, Gen.Int[1, 40]).SampleAsync(async (life, batch) =>
        {
            await using var oracle = new InMemoryRecordStore();
            await LiveAsync(oracle, life);
            var first = await OpenNextAsync();
            await CopyAsync(oracle, first, batch);
            await AgreeAsync(oracle, first);
            var second = await OpenNextAsync();
            await CopyAsync(Rows(first), second, batch);
            await AgreeAsync(oracle, second);
            await using var back = new InMemoryRecordStore();
            await CopyAsync(Rows(second), back, batch);
            await AgreeAsync(oracle, back);

            // Both live on in the same way, from the same sequence.
            await LiveAsync(oracle, life);
            await LiveAsync(second, life);
            await AgreeAsync(oracle, second);
        }, iter: Samples, threads: 1);

    [Fact]
    public async Task Read_OfAStoreThatLived_GivesWhatTheOracleGives()
    {
        await using var oracle = new InMemoryRecordStore();
        var store = await OpenNextAsync();
        await LiveAsync(oracle, LongLife);
        await LiveAsync(store, LongLife);
        Assert.Equal(await DigestAsync(oracle), await DigestAsync(Rows(store)));
    }

    [Fact]
    public async Task Read_FromAnyPosition_GivesTheRest()
    {
        var store = await OpenNextAsync();
        await LiveAsync(store, LongLife);
        var all = await ListAsync(Rows(store), StorePosition.Start);
        Assert.True(all.Count > 20);
        Assert.Equal(all.Select(row => row.Position).Order(), all.Select(row => row.Position));
        for (var i = 0; i < all.Count; i++)
        {
            Assert.Equal(all.Skip(i + 1).Select(row => row.Position), (await ListAsync(Rows(store), all[i].Position)).Select(row => row.Position));
        }
    }

    [Fact]
    public async Task Write_OfBatchesAgain_ChangesNothing()
    {
        await using var oracle = new InMemoryRecordStore();
        await LiveAsync(oracle, LongLife);
        var all = await ListAsync(oracle, StorePosition.Start);
        var store = await OpenNextAsync();
        for (var i = 0; i < all.Count; i += 3)
        {
            // What a process that died between the rows and its mark does: the last rows again.
            var from = Math.Max(0, i - 4);
            await Rows(store).WriteAsync([.. all.Skip(from).Take(i + 3 - from)], default);
        }
        await AgreeAsync(oracle, store);
    }

    [Fact]
    public async Task Mark_IsNoRow_AndIsARecordLikeAnyOther()
    {
        var store = await OpenNextAsync();
        await Rows(store).WriteAsync([new StoreRow.Current(A.Record(IStoreCopy.MarkKey, body: "one"), 0)], default);
        await Rows(store).WriteAsync([new StoreRow.Current(A.Record(IStoreCopy.MarkKey, body: "two"), 0)], default);
        Assert.Equal(A.Value("two"), (await store.GetAsync(IStoreCopy.MarkKey, default))!.Body.ToArray());
        Assert.Empty(await ListAsync(Rows(store), StorePosition.Start));
        Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Removing(IStoreCopy.MarkKey), default));
        Assert.Null(await store.GetAsync(IStoreCopy.MarkKey, default));
    }

    [Fact]
    public async Task Write_ThenCommit_GoesOnBehindTheLastSequence()
    {
        var store = await OpenNextAsync();
        var versions = Enumerable.Range(1, 3).Select(version => A.Record(A.Key("a"), version)).ToList();
        await Rows(store).WriteAsync(
            [
                .. versions.Select(version => new StoreRow.Journal(new(version.Version, version.Key, version.Version, version.LastUpdated, false, version.Partition, "update"), version)),
                new StoreRow.Current(versions[2], 3),
            ], default);
        var done = Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), 4))), default));
        Assert.True(done.Sequence > 3);
        Assert.Equal([1, 2, 3, done.Sequence], (await store.ReadChangesAsync(0, 10, default)).Select(row => row.Sequence));
        Assert.Equal([4, 3, 2, 1], (await store.HistoryAsync(new("Patient", "a", null, null, 10), default)).Versions.Select(version => version.Version));
        Assert.Equal(done.Sequence, (await Rows(store).MeasureAsync(default)).LogEnd);
    }

    [Fact]
    public async Task Measure_OfAStore_CountsItsRowsAbout()
    {
        var store = await OpenNextAsync();
        Assert.Equal(0, (await Rows(store).MeasureAsync(default)).LogEnd);
        await LiveAsync(store, [.. Enumerable.Range(0, 30).Select(i => ("Patient", $"p{i}", 5))]);
        var extent = await Rows(store).MeasureAsync(default);
        Assert.Equal((await store.ReadChangesAsync(0, 1000, default))[^1].Sequence, extent.LogEnd);
        Assert.InRange(extent.Journal, 0, 60); // an engine may know no better than about
        Assert.InRange(extent.Records, 0, 60);
    }

    private static (string Type, string Id, int Kind)[] LongLife =>
        [.. Enumerable.Range(0, 60).Select(i => (Types[i % 4], $"id-{i % 5}", i % 10))];

    private async ValueTask<IRecordStore> OpenNextAsync()
    {
        var store = await OpenAsync(_opened.Count);
        _opened.Add(store);
        return store;
    }

    private static IStoreCopy Rows(IRecordStore store) => Assert.IsType<IStoreCopy>(store, exactMatch: false);

    private static async Task LiveAsync(IRecordStore store, (string Type, string Id, int Kind)[] life)
    {
        foreach (var chunk in life.Chunk(4))
        {
            var writes = new List<RecordWrite>();
            var removals = new List<ResourceKey>();
            foreach (var (type, id, kind) in chunk.DistinctBy(step => (step.Type, step.Id)))
            {
                var key = new ResourceKey(type, id);
                var current = await store.GetAsync(key, default);
                var version = (current?.Version ?? 0) + 1;
                if (kind == 0 && (current is not null || type == "_token"))
                {
                    removals.Add(key);
                    continue;
                }
                var record = kind <= 2 && current is { Deleted: false } && type != "_token"
                    ? A.Tombstone(key, version)
                    : A.Record(key, version, $"{key} {version}", A.Entries((A.Name, $"n{kind}"), (A.Born, $"197{version % 10}")), partition: kind == 4 ? "elsewhere" : null);
                writes.Add(type == "_token" ? A.Internal(record) : A.Write(record));
            }
            Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit([.. writes]) with { Removals = [.. removals] }, default));
        }
    }

    private static async Task CopyAsync(IStoreCopy from, IRecordStore to, int batch)
    {
        foreach (var rows in (await ListAsync(from, StorePosition.Start)).Chunk(batch))
        {
            await Rows(to).WriteAsync(rows, default);
        }
    }

    private static async Task AgreeAsync(InMemoryRecordStore oracle, IRecordStore store)
    {
        Assert.Equal(await DigestAsync(oracle), await DigestAsync(Rows(store)));
        Assert.Equal(await oracle.ReadChangesAsync(0, 1000, default), await store.ReadChangesAsync(0, 1000, default));
        Assert.Equal((await Rows(oracle).MeasureAsync(default)).LogEnd, (await Rows(store).MeasureAsync(default)).LogEnd);
        foreach (var type in (string?[])[null, .. Types])
        {
            var query = new HistoryQuery(type, null, null, null, 1000);
            Assert.Equal((await oracle.HistoryAsync(query, default)).Versions.Select(Show), (await store.HistoryAsync(query, default)).Versions.Select(Show));
        }
        foreach (var type in Types)
        {
            foreach (var where in (Predicate[])[Predicate.Everything, A.Is(A.Name, "n5"), A.Is(A.Name, "n8"), A.Between(A.Born, "1972", "1976"), new Predicate.Present(IndexField.LastUpdated)])
            {
                var query = new RecordQuery(type, where, RecordOrder.ById, null, 1000);
                Assert.Equal((await oracle.QueryAsync(query, default)).Records.Select(Show), (await store.QueryAsync(query, default)).Records.Select(Show));
            }
            foreach (var id in Enumerable.Range(0, 6).Select(i => $"id-{i}"))
            {
                var query = new HistoryQuery(type, id, null, null, 1000);
                Assert.Equal((await oracle.HistoryAsync(query, default)).Versions.Select(Show), (await store.HistoryAsync(query, default)).Versions.Select(Show));
            }
        }
    }

    private static async Task<List<StoreRow>> ListAsync(IStoreCopy store, StorePosition after)
    {
        var rows = new List<StoreRow>();
        await foreach (var row in store.ReadAsync(after, default))
        {
            rows.Add(row);
        }
        return rows;
    }

    private static async Task<string> DigestAsync(IStoreCopy store)
    {
        var digest = new StoreDigest();
        await foreach (var row in store.ReadAsync(StorePosition.Start, default))
        {
            digest.Add(row);
        }
        return digest.ToString();
    }

    private static string Show(StoredRecord r) => $"{r.Key} {r.Version} {r.LastUpdated:o} {r.Deleted} {r.Partition} {System.Text.Encoding.UTF8.GetString(r.Body.Span)}";
}
