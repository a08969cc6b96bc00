using CsCheck;
using FhirCore;
using FhirCore.Records;

namespace Storage.Contract;

public abstract partial class RecordStoreContract
{
    private static readonly IndexField[] Fields = [A.Name, A.Born, A.Rank, IndexField.LastUpdated];
    private static readonly string[] Ids = [.. Enumerable.Range(0, 24).Select(i => i % 3 == 0 ? $"id-{i}" : i % 3 == 1 ? $"id-{i - 1}-x" : $"ID.{i}")];
    private static readonly Gen<string> AnyId = Gen.Int[0, Ids.Length - 1].Select(i => Ids[i]);
    private int _samples;

    private static readonly Gen<string> AnyName = Gen.Int[0, 4].Select(i => $"n{i}");
    private static readonly Gen<string> AnyBorn = Gen.Int[0, 9].Select(i => $"{1970 + i}");
    private static readonly Gen<string> AnyRank = Gen.Int[0, 3].Select(i => $"{i}");

    private static readonly Gen<IndexEntries> AnyEntries = Gen.Select(AnyName.Array[0, 3], AnyBorn.Array[0, 1], AnyRank.Array[0, 1], (names, born, ranks) =>
        A.Entries([.. names.Select(v => (A.Name, v)), .. born.Select(v => (A.Born, v)), .. ranks.Select(v => (A.Rank, v))]));

    /// <summary>What happens to one id: written, deleted, or removed.</summary>
    private static readonly Gen<(string Id, int Kind, IndexEntries Index, int Minute)> AnyStep =
        Gen.Select(AnyId, Gen.Int[0, 9], AnyEntries, Gen.Int[0, 30]);

    private static readonly Gen<Predicate> AnyLeaf = Gen.OneOf<Predicate>(
        AnyName.Select(v => A.Is(A.Name, v)),
        AnyBorn.Select(v => A.Is(A.Born, v)),
        AnyRank.Select(v => A.Is(A.Rank, v)),
        Gen.Select(AnyBorn, AnyBorn, (a, b) => A.Between(A.Born, a, b)),
        Gen.Select(AnyRank, Gen.Bool, (a, open) => A.Between(A.Rank, a, open ? "" : "3")),
        Gen.Select(AnyName, AnyName, (a, b) => A.Between(A.Name, a, b)),
        Gen.Select(Gen.Int[0, 30], Gen.Int[0, 30], Predicate (a, b) =>
            new Predicate.Between(IndexField.LastUpdated, SortableTime.Encode(A.Noon.AddMinutes(a)), SortableTime.Encode(A.Noon.AddMinutes(b)))),
        Gen.Int[0, Fields.Length - 1].Select(i => Fields[i]).Select(Predicate (f) => new Predicate.Present(f)),
        AnyId.Array[0, 4].Select(ids => A.Ids(ids)));

    private static readonly Gen<Predicate> AnyPredicate = Gen.Recursive<Predicate>((depth, any) => depth >= 3 ? AnyLeaf : Gen.Frequency(
        (4, AnyLeaf),
        (3, any.Array[0, 3].Select(p => A.All(p))),
        (2, any.Array[0, 3].Select(p => A.Any(p))),
        (1, AnyName.Array[17, 20].Select(v => A.Any([.. v.Select(x => A.Is(A.Name, x))]))),
        (1, any.Select(A.Not))));

    // Only fields with one value at most order records.
    private static readonly Gen<RecordOrder> AnyOrder = Gen.Select(Gen.OneOf(Gen.Const((IndexField?)null), Gen.Const((IndexField?)A.Rank), Gen.Const((IndexField?)IndexField.LastUpdated)), Gen.Bool, (f, d) => new RecordOrder(f, d));

    private static readonly Gen<(Predicate Where, RecordOrder Order, int Limit)> AnyQuestion = Gen.Select(AnyPredicate, AnyOrder, Gen.Int[1, 9]);

    protected virtual int Samples => 60;

    [Fact]
    public void AnyRecordsAndQuestions_AgreeWithTheOracle() =>
        Gen.Select(AnyStep.Array[0, 50], AnyQuestion.Array[12]).Sample((steps, questions) =>
        {
            var type = $"_sample{Interlocked.Increment(ref _samples)}";
            using var both = new BothStores(Store, type);
            both.Apply(steps);
            foreach (var (where, order, limit) in questions)
            {
                both.AgreeOn(where, order, limit);
            }
            both.AgreeOnHistory(limit: questions[0].Limit, since: questions.Length % 2 == 0 ? null : A.Noon.AddMinutes(10));
        }, iter: Samples, threads: 1);

    /// <summary>Does the same to the store under test and to the oracle, and compares what they answer.</summary>
    private sealed class BothStores(IRecordStore store, string type) : IDisposable
    {
        private readonly InMemoryRecordStore _oracle = new();
        private readonly Dictionary<string, (long Version, bool There)> _versions = [];
        private long? _offset;

        public void Apply((string Id, int Kind, IndexEntries Index, int Minute)[] steps)
        {
            foreach (var chunk in steps.Chunk(5))
            {
                var writes = new List<RecordWrite>();
                var removals = new List<ResourceKey>();
                foreach (var (id, kind, index, minute) in chunk.DistinctBy(s => s.Id))
                {
                    var key = new ResourceKey(type, id);
                    var (version, there) = _versions.GetValueOrDefault(id);
                    if (kind == 0)
                    {
                        removals.Add(key);
                        _versions.Remove(id);
                        continue;
                    }
                    var at = A.Noon.AddMinutes(minute);
                    var delete = kind <= 2 && there;
                    var record = delete ? A.Tombstone(key, version + 1, at) : A.Record(key, version + 1, $"{id} {version + 1}", index, at);
                    writes.Add(kind == 3 ? A.Internal(record) : A.Write(record));
                    _versions[id] = (version + 1, !delete);
                }
                Commit([.. writes], removals);
            }
        }

        public void AgreeOn(Predicate where, RecordOrder order, int limit)
        {
            RecordCursor? mine = null, oracles = null;
            do
            {
                var page = store.QueryAsync(new(type, where, order, mine, limit), default).AsTask().GetAwaiter().GetResult();
                var expected = _oracle.QueryAsync(new(type, where, order, oracles, limit), default).AsTask().GetAwaiter().GetResult();
                Assert.Equal(expected.Records.Select(Show), page.Records.Select(Show));
                Assert.Equal(expected.Next is null, page.Next is null);
                (mine, oracles) = (page.Next, expected.Next);
            }
            while (mine is not null);
            foreach (var most in new[] { 1, 3, long.MaxValue })
            {
                Assert.Equal(_oracle.CountAsync(type, where, most, default).Result, store.CountAsync(type, where, most, default).Result);
            }
            Assert.Equal(_oracle.CountAsync(type, where, 1, default).Result > 0, Refuses(store, where));
        }

        public void AgreeOnHistory(int limit, DateTimeOffset? since)
        {
            foreach (var id in (string?[])[null, .. _versions.Keys])
            {
                long? mine = null, oracles = null;
                do
                {
                    var page = store.HistoryAsync(new(type, id, since, mine, limit), default).AsTask().GetAwaiter().GetResult();
                    var expected = _oracle.HistoryAsync(new(type, id, since, oracles, limit), default).AsTask().GetAwaiter().GetResult();
                    Assert.Equal(expected.Versions.Select(Show), page.Versions.Select(Show));
                    Assert.Equal(expected.Next + (_offset ?? 0), page.Next);
                    (mine, oracles) = (page.Next, expected.Next);
                }
                while (mine is not null);
            }
        }

        public void Dispose() => _oracle.DisposeAsync().AsTask().GetAwaiter().GetResult();

        private void Commit(RecordWrite[] writes, List<ResourceKey> removals)
        {
            var commit = A.Commit(writes) with { Removals = [.. removals] };
            var mine = Assert.IsType<CommitResult.Done>(store.CommitAsync(commit, default).GetAwaiter().GetResult());
            var expected = Assert.IsType<CommitResult.Done>(_oracle.CommitAsync(commit, default).GetAwaiter().GetResult());
            _offset ??= mine.Sequence - expected.Sequence; // the store under test has seen other samples
        }

        private bool Refuses(IRecordStore asked, Predicate where) =>
            asked.CommitAsync(new([], [A.None(where, type)], []), default).GetAwaiter().GetResult() is CommitResult.MatchFound;

        private static string Show(StoredRecord r) => $"{r.Key} {r.Version} {r.LastUpdated:o} {r.Deleted} {BodyOf(r)}";
    }
}
