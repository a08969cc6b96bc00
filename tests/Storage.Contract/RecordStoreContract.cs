using System.Text;
using FhirCore;
using FhirCore.Records;

namespace Storage.Contract;

/// <summary>What <see cref="IRecordStore"/> promises, for every adapter. Each test gets a store of its own, empty.</summary>
public abstract partial class RecordStoreContract : IAsyncLifetime
{
    private protected IRecordStore Store { get; private set; } = null!;

    protected abstract ValueTask<IRecordStore> OpenAsync();

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private async Task<long> CommitAsync(params RecordWrite[] writes) => await CommitAsync(A.Commit(writes));

    private async Task<long> CommitAsync(Commit commit) => Assert.IsType<CommitResult.Done>(await Store.CommitAsync(commit, default)).Sequence;

    private async Task<T> RefusedAsync<T>(Commit commit) => Assert.IsType<T>(await Store.CommitAsync(commit, default), exactMatch: true);

    private async Task<List<string>> IdsAsync(Predicate where, RecordOrder order = default, int limit = 100, string type = "Patient")
    {
        var page = await Store.QueryAsync(new(type, where, order, null, limit), default);
        return [.. page.Records.Select(r => r.Key.Id)];
    }

    private static string BodyOf(StoredRecord? record) => Encoding.UTF8.GetString(Assert.IsType<StoredRecord>(record).Body.Span);

    [Fact]
    public async Task Get_NothingWritten_IsNull()
    {
        Assert.Null(await Store.GetAsync(A.Key("a"), default));
        Assert.Null(await Store.GetVersionAsync(A.Key("a"), 1, default));
    }

    [Fact]
    public async Task Get_AfterCommit_GivesBackEverything()
    {
        var record = A.Record(A.Key("a"), index: A.Entries((A.Name, "xx"), (A.Born, "1970")), partition: "somebody");
        await CommitAsync(A.Write(record));

        var found = Assert.IsType<StoredRecord>(await Store.GetAsync(A.Key("a"), default));
        Assert.Equal(record.Key, found.Key);
        Assert.Equal(1, found.Version);
        Assert.Equal(record.LastUpdated, found.LastUpdated);
        Assert.Equal(TimeSpan.Zero, found.LastUpdated.Offset);
        Assert.Equal("somebody", found.Partition);
        Assert.False(found.Deleted);
        Assert.Equal("body", BodyOf(found));
        Assert.True(found.Index.Has(A.Name, "xx"u8));
        Assert.True(found.Index.Has(A.Born, "1970"u8));
    }

    [Fact]
    public async Task Get_SameIdOfAnotherType_IsAnotherRecord()
    {
        await CommitAsync(A.Write(A.Record(A.Key("a"))), A.Write(A.Record(A.Key("a", "Slot"), body: "slot")));
        Assert.Equal("body", BodyOf(await Store.GetAsync(A.Key("a"), default)));
        Assert.Equal("slot", BodyOf(await Store.GetAsync(A.Key("a", "Slot"), default)));
    }

    [Fact]
    public async Task Get_BodyOfAnySize_ComesBackEqual()
    {
        foreach (var size in new[] { 0, 1, 2_000, 70_000, 3_000_000 })
        {
            var body = new byte[size];
            new Random(size).NextBytes(body);
            await CommitAsync(A.Write(A.Record(A.Key($"s{size}")) with { Body = body }));
            var found = Assert.IsType<StoredRecord>(await Store.GetAsync(A.Key($"s{size}"), default));
            Assert.True(found.Body.Span.SequenceEqual(body));
        }
    }

    [Fact]
    public async Task Commit_UpdateAndDelete_KeepEveryVersion()
    {
        var key = A.Key("a");
        await CommitAsync(A.Write(A.Record(key, body: "one")));
        await CommitAsync(A.Write(A.Record(key, 2, "two")));
        await CommitAsync(A.Write(A.Tombstone(key, 3)));
        await CommitAsync(A.Write(A.Record(key, 4, "four")));

        Assert.Equal("four", BodyOf(await Store.GetAsync(key, default)));
        Assert.Equal("one", BodyOf(await Store.GetVersionAsync(key, 1, default)));
        Assert.Equal("two", BodyOf(await Store.GetVersionAsync(key, 2, default)));
        Assert.True((await Store.GetVersionAsync(key, 3, default))!.Deleted);
        Assert.Equal("four", BodyOf(await Store.GetVersionAsync(key, 4, default)));
        Assert.Null(await Store.GetVersionAsync(key, 5, default));
        Assert.Null(await Store.GetVersionAsync(key, 0, default));
    }

    [Fact]
    public async Task Get_AfterDelete_GivesTheTombstone()
    {
        var key = A.Key("a");
        await CommitAsync(A.Write(A.Record(key, index: A.Entries((A.Name, "xx")))));
        await CommitAsync(A.Write(A.Tombstone(key, 2)));

        var found = Assert.IsType<StoredRecord>(await Store.GetAsync(key, default));
        Assert.True(found.Deleted);
        Assert.Equal(2, found.Version);
        Assert.Empty(await IdsAsync(Predicate.Everything));
        Assert.Empty(await IdsAsync(A.Is(A.Name, "xx")));
        Assert.Equal(0, await Store.CountAsync("Patient", Predicate.Everything, 10, default));
    }

    [Fact]
    public async Task Commit_ExpectedZeroOverATombstone_IsRefused()
    {
        var key = A.Key("a");
        await CommitAsync(A.Write(A.Record(key)));
        await CommitAsync(A.Write(A.Tombstone(key, 2)));
        Assert.Equal(new(key, 0, 2), await RefusedAsync<CommitResult.VersionConflict>(A.Commit(A.Write(A.Record(key)))));
        await CommitAsync(A.Write(A.Record(key, 3)));
        Assert.Equal(["a"], await IdsAsync(Predicate.Everything));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 2)]
    [InlineData(0, 1)]
    public async Task Commit_ExpectedVersionIsNotTheCurrent_SaysWhatStands(long stands, long expected)
    {
        var key = A.Key("a");
        if (stands == 1)
        {
            await CommitAsync(A.Write(A.Record(key)));
        }
        var refused = await RefusedAsync<CommitResult.VersionConflict>(A.Commit(A.Write(A.Record(key, expected + 1))));
        Assert.Equal(new(key, expected, stands), refused);
    }

    [Fact]
    public async Task Commit_OneOfManyWritesIsRefused_NothingIsWritten()
    {
        await CommitAsync(A.Write(A.Record(A.Key("b"))));
        var commit = A.Commit(A.Write(A.Record(A.Key("a"), index: A.Entries((A.Name, "xx")))), A.Write(A.Record(A.Key("b"))), A.Write(A.Record(A.Key("c"))));
        await RefusedAsync<CommitResult.VersionConflict>(commit);

        Assert.Null(await Store.GetAsync(A.Key("a"), default));
        Assert.Null(await Store.GetAsync(A.Key("c"), default));
        Assert.Empty(await IdsAsync(A.Is(A.Name, "xx")));
        Assert.Single(await Store.ReadChangesAsync(0, 10, default));
        Assert.Equal(["b"], await IdsAsync(Predicate.Everything));
    }

    [Fact]
    public async Task Commit_BreaksARuleOfThePort_Throws()
    {
        var key = A.Key("a");
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(A.Commit(A.Write(A.Record(key)), A.Write(A.Record(key))), default));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(A.Commit(A.Write(A.Record(key))) with { Removals = [key] }, default));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(A.Commit(A.Write(A.Record(key, 3)) with { Expected = 1 }), default));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(A.Commit(A.Write(A.Tombstone(key, 1) with { Body = A.Value("x") })), default));
        Assert.Null(await Store.GetAsync(key, default));
    }

    [Fact]
    public async Task Commit_Cancelled_BeforeItBegan_Throws()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a")))), new CancellationToken(true)));
        Assert.Null(await Store.GetAsync(A.Key("a"), default));
    }

    [Fact]
    public async Task VersionIs_HoldsOnlyAtThatVersion()
    {
        await CommitAsync(A.Write(A.Record(A.Key("seen"))));
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("a")))).When(new RecordCondition.VersionIs(A.Key("seen"), 1), new RecordCondition.VersionIs(A.Key("none"), 0)));
        var stale = A.Commit(A.Write(A.Record(A.Key("b")))).When(new RecordCondition.VersionIs(A.Key("seen"), 2));
        Assert.Equal(new(A.Key("seen"), 2, 1), await RefusedAsync<CommitResult.VersionConflict>(stale));
        var there = A.Commit(A.Write(A.Record(A.Key("b")))).When(new RecordCondition.VersionIs(A.Key("seen"), 0));
        Assert.Equal(new(A.Key("seen"), 0, 1), await RefusedAsync<CommitResult.VersionConflict>(there));
        Assert.Null(await Store.GetAsync(A.Key("b"), default));
    }

    [Fact]
    public async Task NoneMatch_FindsByEveryKindOfPredicate()
    {
        await CommitAsync(A.Write(A.Record(A.Key("a"), index: A.Entries((A.Name, "xx"), (A.Born, "1970")))));
        Predicate[] hits =
        [
            A.Is(A.Name, "xx"), A.Between(A.Born, "1969", "1971"), A.Between(A.Born, "1970", ""), new Predicate.Present(A.Born), A.Ids("a", "b"),
            A.All(A.Is(A.Name, "xx"), A.Between(A.Born, "1970", "1971")), A.Any(A.Is(A.Name, "yy"), A.Between(A.Born, "1970", "1971")),
            A.Not(A.Is(A.Name, "yy")), Predicate.Everything, A.All(A.Not(A.Is(A.Name, "yy")), A.Any(A.Is(A.Name, "xx"))),
        ];
        Predicate[] misses =
        [
            A.Is(A.Name, "yy"), A.Is(A.Born, "xx"), A.Between(A.Born, "1971", ""), A.Between(A.Born, "1960", "1970"), new Predicate.Present(A.Rank),
            A.Ids("b"), A.All(A.Is(A.Name, "xx"), A.Between(A.Born, "1971", "1972")), Predicate.Nothing, A.Not(A.Is(A.Name, "xx")),
        ];
        foreach (var where in hits)
        {
            var refused = await RefusedAsync<CommitResult.MatchFound>(A.Commit(A.Write(A.Record(A.Key("new")))).When(A.None(where)));
            Assert.Equal(A.Key("a"), refused.Key);
            Assert.Equal(where, refused.Condition.Where);
        }
        for (var i = 0; i < misses.Length; i++)
        {
            await CommitAsync(A.Commit(A.Write(A.Record(A.Key($"new{i}", "Slot")))).When(A.None(misses[i])));
        }
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("other", "Slot")))).When(A.None(A.Is(A.Name, "xx"), "Practitioner")));
    }

    [Fact]
    public async Task NoneMatch_LooksAwayFromExceptedAndOwnWritesAndTombstones()
    {
        var xx = A.Is(A.Name, "xx");
        var index = A.Entries((A.Name, "xx"));
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), index: index))).When(A.None(xx)));
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), 2, index: index))).When(A.None(xx)));
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("b"), index: index))).When(A.None(xx, "Patient", "a")));
        await RefusedAsync<CommitResult.MatchFound>(A.Commit(A.Write(A.Record(A.Key("c"), index: index))).When(A.None(xx, "Patient", "a")));
        await CommitAsync(A.Write(A.Tombstone(A.Key("b"), 2)));
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("c"), index: index))).When(A.None(xx, "Patient", "a")));
    }

    [Fact]
    public async Task NoneMatch_RecordMovedAway_NoLongerMatches()
    {
        await CommitAsync(A.Write(A.Record(A.Key("a"), index: A.Entries((A.Name, "xx")))));
        await CommitAsync(A.Write(A.Record(A.Key("a"), 2, index: A.Entries((A.Name, "yy")))));
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("b")))).When(A.None(A.Is(A.Name, "xx"))));
        await RefusedAsync<CommitResult.MatchFound>(A.Commit(A.Write(A.Record(A.Key("c")))).When(A.None(A.Is(A.Name, "yy"))));
    }

    [Fact]
    public async Task Commit_ManyWithOneIdentifierAtOnce_OneWins()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() =>
            Store.CommitAsync(A.Commit(A.Write(A.Record(A.Key($"p{i}"), index: A.Entries((A.Name, "same"))))).When(A.None(A.Is(A.Name, "same"))), default))));
        Assert.Single(results.OfType<CommitResult.Done>());
        var winner = Assert.Single(await IdsAsync(A.Is(A.Name, "same")));
        Assert.All(results.OfType<CommitResult.MatchFound>(), r => Assert.Equal(winner, r.Key.Id));
        Assert.Equal(99, results.OfType<CommitResult.MatchFound>().Count());
    }

    [Fact]
    public async Task Commit_ManyOverlappingTimesAtOnce_NoTwoOverlap()
    {
        // Each holds [t, t+3): it must find none that starts in (t-3, t+3).
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() =>
        {
            var start = (i * 7 % 50) + 10;
            var free = A.None(A.Between(A.Born, $"{start - 2:d4}", $"{start + 3:d4}"));
            return Store.CommitAsync(A.Commit(A.Write(A.Record(A.Key($"p{i}"), index: A.Entries((A.Born, $"{start:d4}"))))).When(free), default);
        })));
        var page = await Store.QueryAsync(new("Patient", Predicate.Everything, new(A.Born, false), null, 200), default);
        var starts = page.Records.Select(r => int.Parse(Encoding.UTF8.GetString(r.Index.First(A.Born).Span))).ToList();
        Assert.Equal(results.OfType<CommitResult.Done>().Count(), starts.Count);
        Assert.True(starts.Count > 8);
        Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 3));
    }

    [Fact]
    public async Task Commit_ManyOverOneVersionAtOnce_OneWins()
    {
        var slot = A.Key("slot", "Slot");
        await CommitAsync(A.Write(A.Record(slot)));
        var results = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => Task.Run(() => Store.CommitAsync(
            A.Commit(A.Write(A.Record(A.Key($"v{i}", "Appointment"))), A.Write(A.Record(slot, 2, $"taken by {i}"))).When(new RecordCondition.VersionIs(slot, 1)), default))));
        Assert.Single(results.OfType<CommitResult.Done>());
        Assert.All(results.OfType<CommitResult.VersionConflict>(), r => Assert.Equal((slot, 1, 2), (r.Key, r.Expected, r.Found)));
        var visit = Assert.Single(await IdsAsync(Predicate.Everything, type: "Appointment"));
        Assert.Equal($"taken by {visit[1..]}", BodyOf(await Store.GetAsync(slot, default)));
        Assert.Equal(3, (await Store.ReadChangesAsync(0, 10, default)).Count);
    }

    [Fact]
    public async Task Commit_ChainOfUpdatesAtOnce_EachVersionOnce()
    {
        var key = A.Key("counter");
        await CommitAsync(A.Write(A.Record(key)));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 20;)
            {
                var seen = (await Store.GetAsync(key, default))!;
                done += await Store.CommitAsync(A.Commit(A.Write(A.Record(key, seen.Version + 1, $"v{seen.Version + 1}"))), default) is CommitResult.Done ? 1 : 0;
            }
        })));
        Assert.Equal(161, (await Store.GetAsync(key, default))!.Version);
        for (var version = 2; version <= 161; version++)
        {
            Assert.Equal($"v{version}", BodyOf(await Store.GetVersionAsync(key, version, default)));
        }
        Assert.Equal(Enumerable.Range(1, 161).Select(v => (long)v), (await Store.ReadChangesAsync(0, 1000, default)).Select(c => c.Version));
    }

    [Fact]
    public async Task Internal_WritesAndRemovals_LeaveNoTrace()
    {
        var key = A.Key("token", "_token");
        Assert.Equal(0, await CommitAsync(A.Internal(A.Record(key, index: A.Entries((A.Name, "xx"))))));
        await CommitAsync(A.Internal(A.Record(key, 2, "two", A.Entries((A.Name, "yy")))));

        Assert.Equal("two", BodyOf(await Store.GetAsync(key, default)));
        Assert.Null(await Store.GetVersionAsync(key, 1, default));
        Assert.Equal(["token"], await IdsAsync(A.Is(A.Name, "yy"), type: "_token"));
        Assert.Empty(await IdsAsync(A.Is(A.Name, "xx"), type: "_token"));
        Assert.Empty(await Store.ReadChangesAsync(0, 10, default));
        Assert.Empty((await Store.HistoryAsync(new(null, null, null, null, 10), default)).Versions);

        await CommitAsync(A.Removing(key, A.Key("never-there", "_token")));
        Assert.Null(await Store.GetAsync(key, default));
        Assert.Null(await Store.GetVersionAsync(key, 2, default));
        Assert.Empty(await IdsAsync(Predicate.Everything, type: "_token"));
        Assert.Empty(await IdsAsync(A.Is(A.Name, "yy"), type: "_token"));
        await CommitAsync(A.Internal(A.Record(key)));
    }

    [Fact]
    public async Task Removal_OfAJournalledRecord_TakesItsHistoryToo()
    {
        var key = A.Key("a");
        await CommitAsync(A.Write(A.Record(key)));
        await CommitAsync(A.Write(A.Record(key, 2)));
        await CommitAsync(A.Removing(key));
        Assert.Null(await Store.GetVersionAsync(key, 1, default));
        Assert.Empty((await Store.HistoryAsync(new("Patient", "a", null, null, 10), default)).Versions);
        await CommitAsync(A.Write(A.Record(key, body: "another life")));
        Assert.Equal("another life", BodyOf(Assert.Single((await Store.HistoryAsync(new("Patient", "a", null, null, 10), default)).Versions)));
        Assert.Equal("another life", BodyOf(Assert.Single((await Store.HistoryAsync(new("Patient", null, null, null, 10), default)).Versions)));
    }

    [Fact]
    public async Task Stamp_MovesWithEveryCommitThatNamesIt_AndWithNoOther()
    {
        var before = await Store.StampAsync("Slot/x", default);
        Assert.Equal(before, await Store.StampAsync("Slot/x", default));
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("a", "Slot")))) with { Stamps = ["Slot/x", "Slot/x"] });
        var first = await Store.StampAsync("Slot/x", default);
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("b", "Slot")))) with { Stamps = ["Slot/x", "Slot/y"] });
        var second = await Store.StampAsync("Slot/x", default);
        Assert.Equal(3, new[] { before, first, second }.Distinct().Count());

        await RefusedAsync<CommitResult.VersionConflict>(A.Commit(A.Write(A.Record(A.Key("b", "Slot")))) with { Stamps = ["Slot/x"] });
        await CommitAsync(A.Commit(A.Write(A.Record(A.Key("c", "Slot")))) with { Stamps = ["Slot/y"] });
        Assert.Equal(second, await Store.StampAsync("Slot/x", default));
    }

    [Fact]
    public async Task Stamp_StillWhatItWasBeforeARead_MeansNothingAcknowledgedIsMissing()
    {
        const int writers = 4, each = 40;
        var acknowledged = 0;
        (long Stamp, long Count)? kept = null;
        var gate = new Lock();
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await CommitAsync(A.Commit(A.Write(A.Record(A.Key($"w{w}-{i}", "Slot"), index: A.Entries((A.Name, "s"))))) with { Stamps = ["Slot/s"] });
                Interlocked.Increment(ref acknowledged);
                var atLeast = Volatile.Read(ref acknowledged);
                var stamp = await Store.StampAsync("Slot/s", default);
                lock (gate)
                {
                    Assert.False(kept is { } value && value.Stamp == stamp && value.Count < atLeast, "What was kept under a stamp that still stands misses an acknowledged commit.");
                }
            }
        })));
        while (!writing.IsCompleted)
        {
            var stamp = await Store.StampAsync("Slot/s", default);
            var count = await Store.CountAsync("Slot", A.Is(A.Name, "s"), 1000, default);
            lock (gate)
            {
                kept = (stamp, count);
            }
        }
        await writing;
        Assert.Equal(writers * each, await Store.CountAsync("Slot", A.Is(A.Name, "s"), 1000, default));
    }

    [Fact]
    public async Task Commit_OfConditionsAlone_TellsTheLogsEnd()
    {
        var sequence = await CommitAsync(A.Write(A.Record(A.Key("a"))));
        Assert.Equal(sequence, await CommitAsync(new Commit([], [new RecordCondition.VersionIs(A.Key("a"), 1)], [])));
    }
}
