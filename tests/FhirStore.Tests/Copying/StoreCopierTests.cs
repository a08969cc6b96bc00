using System.Runtime.CompilerServices;
using FhirCore;
using FhirCore.Records;
using FhirStore.Copying;
using Storage.Contract;

namespace FhirStore.Tests.Copying;

public sealed class StoreCopierTests
{
    private const int Records = 2600;
    private readonly InMemoryRecordStore _source = new();
    private readonly InMemoryRecordStore _target = new();

    [Fact]
    public async Task Copy_IntoAnEmptyStore_IsTheSameAndLeavesNoMark()
    {
        await FillAsync(_source, Records);
        var report = await RunAsync(_source, _target);
        Assert.True(report.IsGood);
        Assert.Equal((Records + 100, Records + 1), (report.Target.Journal.Rows, report.Target.Records.Rows));
        Assert.Null(await _target.GetAsync(IStoreCopy.MarkKey, default));
        Assert.Equal(await _source.ReadChangesAsync(0, 10_000, default), await _target.ReadChangesAsync(0, 10_000, default));
    }

    /// <summary>Dies after each batch in turn, before or after it was written, until it gets to the end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Copy_KilledAtEachBatch_ResumesAndIsTheSame(bool afterTheWrite)
    {
        await FillAsync(_source, Records);
        var runs = 0;
        var read = new List<long>();
        while (true)
        {
            var source = new CountingStore(_source);
            var mortal = new MortalStore(_target, dieAt: 2, afterTheWrite);
            try
            {
                var report = await RunAsync(source, mortal);
                Assert.True(report.IsGood);
                break;
            }
            catch (InvalidOperationException)
            {
                read.Add(source.Journal);
                Assert.True(++runs < 100);
            }
        }
        Assert.True(runs >= 3, $"It died {runs} times only.");
        Assert.True(read[^1] < read[0], "A resumed copy read everything again.");
        Assert.Null(await _target.GetAsync(IStoreCopy.MarkKey, default));
    }

    [Fact]
    public async Task Target_ThatIsNotEmpty_IsRefusedAndStays()
    {
        await FillAsync(_source, 10);
        await _target.CommitAsync(A.Commit(A.Write(A.Record(A.Key("mine")))), default);
        Assert.Contains("not empty", (await RefusedAsync()).Message, StringComparison.Ordinal);
        Assert.Single(await _target.ReadChangesAsync(0, 10, default));
    }

    [Fact]
    public async Task Target_WithAnotherStoresUnfinishedCopy_IsRefused()
    {
        await FillAsync(_source, Records);
        await using var other = new InMemoryRecordStore();
        await other.CommitAsync(A.Commit(A.Write(A.Record(A.Key("other")))), default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(other, new MortalStore(_target, dieAt: 2, afterTheWrite: true)));
        Assert.Contains("another store", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Source_ThatIsEmptyOrItselfUnfinished_IsRefused()
    {
        Assert.Contains("empty", (await RefusedAsync()).Message, StringComparison.Ordinal);
        await _source.WriteAsync([new StoreRow.Current(A.Record(IStoreCopy.MarkKey), 0)], default);
        Assert.Contains("unfinished", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Source_ThatGrewBetweenRuns_IsRefused()
    {
        await FillAsync(_source, Records);
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(_source, new MortalStore(_target, dieAt: 3, afterTheWrite: true)));
        await _source.CommitAsync(A.Commit(A.Write(A.Record(A.Key("late")))), default);
        Assert.Contains("has changed", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Source_ThatChangesWhileItIsRead_IsFound(bool journalled)
    {
        await FillAsync(_source, Records);
        var changed = false;
        var report = await new StoreCopier(_source, _target, TimeProvider.System).RunAsync(progress =>
        {
            if (!changed && progress.Rows >= 4000)
            {
                changed = true;
                var write = journalled ? A.Write(A.Record(A.Key("late"))) : A.Internal(A.Record(A.Key("token", "_token"), 2));
                Assert.IsType<CommitResult.Done>(_source.CommitAsync(A.Commit(write), default).Result);
            }
        }, default);
        Assert.True(changed);
        Assert.True(report.SourceChanged);
        Assert.False(report.IsGood);
        Assert.NotNull(await _target.GetAsync(IStoreCopy.MarkKey, default));
    }

    [Theory]
    [InlineData("body")]
    [InlineData("index")]
    [InlineData("history")]
    [InlineData("cause")]
    [InlineData("missing")]
    public async Task Target_ThatTurnsOutDifferent_IsFound(string damage)
    {
        await FillAsync(_source, 300);
        var report = await RunAsync(_source, new DamagingStore(_target, damage));
        Assert.False(report.SourceChanged);
        Assert.False(report.IsGood);
        Assert.NotNull(await _target.GetAsync(IStoreCopy.MarkKey, default)); // so that no server takes it for a whole store
    }

    private static Task<CopyReport> RunAsync(IRecordStore source, IRecordStore target) => new StoreCopier(source, target, TimeProvider.System).RunAsync(_ => { }, default);

    private Task<CopyRefusedException> RefusedAsync() => Assert.ThrowsAsync<CopyRefusedException>(() => RunAsync(_source, _target));

    /// <summary>So many records, the first hundred of them in two versions, and a record of the server's own.</summary>
    private static async Task FillAsync(InMemoryRecordStore store, int records)
    {
        var rows = new List<RecordWrite>();
        for (var i = 0; i < records; i++)
        {
            rows.Add(A.Write(A.Record(A.Key($"p{i}"), body: $"body {i}", index: A.Entries((A.Name, $"n{i}")))));
        }
        await store.CommitAsync(A.Commit([.. rows, A.Internal(A.Record(A.Key("token", "_token")))]), default);
        await store.CommitAsync(A.Commit([.. Enumerable.Range(0, Math.Min(100, records)).Select(i => A.Write(A.Record(A.Key($"p{i}"), 2, $"again {i}")))]), default);
    }

    /// <summary>Passes everything on, until it dies at a write.</summary>
    private sealed class MortalStore(InMemoryRecordStore inner, int dieAt, bool afterTheWrite) : StoreDecorator(inner)
    {
        private int _writes;

        public override async Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct)
        {
            var dies = ++_writes >= dieAt;
            if (!dies || afterTheWrite)
            {
                await base.WriteAsync(rows, ct);
            }
            else
            {
                // Some of the batch arrived, its mark did not: what an engine without a batch that is atomic may leave.
                await base.WriteAsync([.. rows.Take(rows.Count / 2)], ct);
            }
            if (dies)
            {
                throw new InvalidOperationException("killed");
            }
        }
    }

    private sealed class CountingStore(InMemoryRecordStore inner) : StoreDecorator(inner)
    {
        public long Journal { get; private set; }

        public override async IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, [EnumeratorCancellation] CancellationToken ct)
        {
            await foreach (var row in base.ReadAsync(after, ct))
            {
                Journal += row is StoreRow.Journal ? 1 : 0;
                yield return row;
            }
        }
    }

    private sealed class DamagingStore(InMemoryRecordStore inner, string damage) : StoreDecorator(inner)
    {
        public override Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct) => base.WriteAsync([.. rows.Select(Damage).OfType<StoreRow>()], ct);

        private StoreRow? Damage(StoreRow row) => (row, damage) switch
        {
            (StoreRow.Current { Record: { Key.Id: "p7" } record } current, "body") => current with { Record = record with { Body = Flip(record.Body) } },
            (StoreRow.Current { Record: { Key.Id: "p207" } record } current, "index") => current with { Record = record with { Index = A.Entries((A.Name, "n208")) } },
            (StoreRow.Current { Record.Key.Id: "token" }, "missing") => null,
            (StoreRow.Journal { Change: { Key.Id: "p7", Version: 1 }, Version: { } version } journal, "history") => journal with { Version = version with { Body = Flip(version.Body) } },
            (StoreRow.Journal { Change: { Key.Id: "p7", Version: 2 } change } journal, "cause") => journal with { Change = change with { Cause = "create" } },
            _ => row,
        };

        private static byte[] Flip(ReadOnlyMemory<byte> body)
        {
            var bytes = body.ToArray();
            bytes[^1] ^= 1;
            return bytes;
        }
    }

    private abstract class StoreDecorator(InMemoryRecordStore inner) : IRecordStore, IStoreCopy
    {
        public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => inner.GetAsync(key, ct);

        public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => inner.GetVersionAsync(key, version, ct);

        public Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct) => inner.CommitAsync(commit, ct);

        public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => inner.QueryAsync(query, ct);

        public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => inner.CountAsync(type, where, atMost, ct);

        public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => inner.HistoryAsync(query, ct);

        public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => inner.ReadChangesAsync(after, limit, ct);

        public ValueTask<long> StampAsync(string name, CancellationToken ct) => inner.StampAsync(name, ct);

        public ValueTask<StoreExtent> MeasureAsync(CancellationToken ct) => inner.MeasureAsync(ct);

        public virtual IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, CancellationToken ct) => inner.ReadAsync(after, ct);

        public virtual Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct) => inner.WriteAsync(rows, ct);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
