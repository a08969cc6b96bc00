using FhirCore.Records;
using Storage.Contract;

namespace Storage.MongoDb.Tests;

/// <summary>Stores that know nothing of each other, on one database: what serializes their commits is the server alone.</summary>
public sealed class TwoProcessesTests : IAsyncLifetime
{
    private readonly TestDatabase _database = new();
    private MongoDbRecordStore[] _stores = [];

    public async ValueTask InitializeAsync() => _stores = [await _database.OpenAsync(), await _database.OpenAsync(), await _database.OpenAsync()];

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task ManyWithOneIdentifierAtOnce_OneWins()
    {
        var results = await RaceAsync(30, i => A.Commit(A.Write(A.Record(A.Key($"p{i}"), index: A.Entries((A.Name, "same"))))).When(A.None(A.Is(A.Name, "same"))));
        Assert.Single(results.OfType<CommitResult.Done>());
        Assert.Equal(29, results.OfType<CommitResult.MatchFound>().Count());
        Assert.Equal(1, await _stores[0].CountAsync("Patient", A.Is(A.Name, "same"), 10, default));
    }

    [Fact]
    public async Task ManyTimesOfOneActorAtOnce_NoTwoOverlap()
    {
        // A token of 16 bytes and a time behind it, as scheduling has it: equal in no two conditions, and yet they overlap.
        const string actor = "0123456789abcdef";
        var results = await RaceAsync(45, i =>
        {
            var start = (i * 7 % 50) + 10;
            var free = A.None(A.All(A.Between(A.Name, $"{actor}{start - 2:d8}", $"{actor}{start + 3:d8}"), A.Not(A.Is(A.Name, "ended"))));
            return A.Commit(A.Write(A.Record(A.Key($"p{i}"), index: A.Entries((A.Name, $"{actor}{start:d8}"), (A.Rank, $"{start:d4}"))))).When(free);
        });
        var starts = (await _stores[0].QueryAsync(new("Patient", Predicate.Everything, new(A.Rank, false), null, 100), default)).Records
            .Select(r => int.Parse(System.Text.Encoding.UTF8.GetString(r.Index.First(A.Rank).Span), null)).ToList();
        Assert.Equal(results.OfType<CommitResult.Done>().Count(), starts.Count);
        Assert.True(starts.Count > 8);
        Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 3, $"{pair.First} and {pair.Second} overlap."));
    }

    [Fact]
    public async Task ManyOverOneVersionAtOnce_OneWins()
    {
        var slot = A.Key("slot", "Slot");
        await _stores[0].CommitAsync(A.Commit(A.Write(A.Record(slot))), default);
        var results = await RaceAsync(60, i => A.Commit(A.Write(A.Record(A.Key($"v{i}", "Appointment"))), A.Write(A.Record(slot, 2, $"{i}"))));
        Assert.Single(results.OfType<CommitResult.Done>());
        Assert.All(results.OfType<CommitResult.VersionConflict>(), r => Assert.Equal((slot, 1, 2), (r.Key, r.Expected, r.Found)));
        Assert.Equal(1, await _stores[1].CountAsync("Appointment", Predicate.Everything, 10, default));
    }

    [Fact]
    public async Task ManyMakeOneRecordAtOnce_OneWins()
    {
        var results = await RaceAsync(30, i => A.Commit(A.Write(A.Record(A.Key("one"), body: $"{i}"))));
        Assert.Single(results.OfType<CommitResult.Done>());
        Assert.All(results.OfType<CommitResult.VersionConflict>(), r => Assert.Equal((A.Key("one"), 0, 1), (r.Key, r.Expected, r.Found)));
    }

    [Fact]
    public async Task UpdatesOfOneRecord_NoneIsLost()
    {
        var key = A.Key("counter");
        await _stores[0].CommitAsync(A.Commit(A.Write(A.Record(key))), default);
        await Task.WhenAll(_stores.Select(store => Task.Run(async () =>
        {
            for (var done = 0; done < 15;)
            {
                var seen = (await store.GetAsync(key, default))!;
                done += await store.CommitAsync(A.Commit(A.Write(A.Record(key, seen.Version + 1))), default) is CommitResult.Done ? 1 : 0;
            }
        })));
        Assert.Equal(46, (await _stores[0].GetAsync(key, default))!.Version);
        Assert.Equal(Enumerable.Range(1, 46).Select(v => (long)v), (await _stores[0].HistoryAsync(new("Patient", "counter", null, null, 100), default)).Versions.Select(v => v.Version).Reverse());
    }

    /// <summary>Each looks at what the other writes: one at most may go through.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task TwoThatRelyOnWhatTheOtherWrites_AtMostOneWins(long stands)
    {
        for (var round = 0; round < 12; round++)
        {
            var (left, right) = (A.Key($"l{round}"), A.Key($"r{round}"));
            if (stands == 1)
            {
                await _stores[0].CommitAsync(A.Commit(A.Write(A.Record(left)), A.Write(A.Record(right))), default);
            }
            var results = await Task.WhenAll(
                Task.Run(() => _stores[0].CommitAsync(A.Commit(A.Write(A.Record(left, stands + 1))).When(new RecordCondition.VersionIs(right, stands)), default)),
                Task.Run(() => _stores[1].CommitAsync(A.Commit(A.Write(A.Record(right, stands + 1))).When(new RecordCondition.VersionIs(left, stands)), default)));
            Assert.Single(results.OfType<CommitResult.Done>());
            Assert.Single(results.OfType<CommitResult.VersionConflict>());
        }
    }

    [Fact]
    public async Task ReadersOfTheLog_WhileAllCommit_SeeEveryRowOnceAndInOneOrder()
    {
        var seen = new[] { new List<ChangeRow>(), new List<ChangeRow>() };
        var writing = Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() => _stores[i % 3].CommitAsync(A.Commit(A.Write(A.Record(A.Key($"p{i}"))), A.Write(A.Record(A.Key($"q{i}")))), default))));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (seen.Any(s => s.Count < 120))
        {
            for (var reader = 0; reader < 2; reader++)
            {
                seen[reader].AddRange(await _stores[reader].ReadChangesAsync(seen[reader].Count == 0 ? 0 : seen[reader][^1].Sequence, 9, limit.Token));
            }
        }
        await writing;
        Assert.Equal(seen[0], seen[1]);
        Assert.Equal(120, seen[0].Select(c => c.Key).Distinct().Count());
        Assert.All(seen[0].Zip(seen[0].Skip(1)), pair => Assert.True(pair.First.Sequence < pair.Second.Sequence));
    }

    private Task<CommitResult[]> RaceAsync(int many, Func<int, Commit> make) =>
        Task.WhenAll(Enumerable.Range(0, many).Select(i => Task.Run(() => _stores[i % _stores.Length].CommitAsync(make(i), default))));
}
