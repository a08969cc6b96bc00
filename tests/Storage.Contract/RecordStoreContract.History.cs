using FhirCore.Records;

namespace Storage.Contract;

public abstract partial class RecordStoreContract
{
    private async Task<List<(string Id, long Version)>> HistoryAsync(string? type, string? id, DateTimeOffset? since = null, int limit = 1000)
    {
        var all = new List<(string, long)>();
        long? before = null;
        do
        {
            var page = await Store.HistoryAsync(new(type, id, since, before, limit), default);
            Assert.True(page.Versions.Count <= limit);
            Assert.All(page.Versions, v => Assert.True(v.Index.Block.IsEmpty || v.Version > 0));
            all.AddRange(page.Versions.Select(v => (v.Key.Id, v.Version)));
            before = page.Next;
            Assert.True(before is null || page.Versions.Count == limit);
        }
        while (before is not null);
        return all;
    }

    private async Task ThreeRecordsOfTwoTypesAsync()
    {
        var at = A.Noon;
        foreach (var (id, type, version) in new[] { ("a", "Patient", 1), ("b", "Patient", 1), ("s", "Slot", 1), ("a", "Patient", 2), ("s", "Slot", 2), ("b", "Patient", 2), ("a", "Patient", 3) })
        {
            at = at.AddMinutes(1);
            var record = id == "b" && version == 2 ? A.Tombstone(A.Key(id, type), version, at) : A.Record(A.Key(id, type), version, $"{id}{version}", at: at);
            await CommitAsync(A.Write(record));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task History_AnyPageSize_IsNewestFirstWithTombstones(int limit)
    {
        await ThreeRecordsOfTwoTypesAsync();
        Assert.Equal([("a", 3), ("a", 2), ("a", 1)], await HistoryAsync("Patient", "a", limit: limit));
        Assert.Equal([("b", 2), ("b", 1)], await HistoryAsync("Patient", "b", limit: limit));
        Assert.Equal([("a", 3), ("b", 2), ("a", 2), ("b", 1), ("a", 1)], await HistoryAsync("Patient", null, limit: limit));
        Assert.Equal([("a", 3), ("b", 2), ("s", 2), ("a", 2), ("s", 1), ("b", 1), ("a", 1)], await HistoryAsync(null, null, limit: limit));
        Assert.Empty(await HistoryAsync("Patient", "c", limit: limit));
        Assert.Empty(await HistoryAsync("Practitioner", null, limit: limit));
    }

    [Fact]
    public async Task History_Since_IncludesThatInstant()
    {
        await ThreeRecordsOfTwoTypesAsync();
        Assert.Equal([("a", 3), ("b", 2), ("s", 2)], await HistoryAsync(null, null, A.Noon.AddMinutes(5)));
        Assert.Equal([("a", 3), ("b", 2)], await HistoryAsync("Patient", null, A.Noon.AddMinutes(5), limit: 1));
        Assert.Equal([("a", 3), ("a", 2)], await HistoryAsync("Patient", "a", A.Noon.AddMinutes(2)));
        Assert.Empty(await HistoryAsync(null, null, A.Noon.AddMinutes(8)));
    }

    [Fact]
    public async Task History_TimesOutOfOrder_SinceStillFindsAll()
    {
        foreach (var (id, minutes) in new[] { ("a", 50), ("b", 10), ("c", 40), ("d", 5) })
        {
            await CommitAsync(A.Write(A.Record(A.Key(id), at: A.Noon.AddMinutes(minutes))));
        }
        Assert.Equal([("c", 1), ("a", 1)], await HistoryAsync("Patient", null, A.Noon.AddMinutes(30)));
        Assert.Equal([("c", 1), ("a", 1)], await HistoryAsync(null, null, A.Noon.AddMinutes(30), limit: 1));
    }

    [Fact]
    public async Task History_BodiesAreThoseOfTheirVersions()
    {
        await ThreeRecordsOfTwoTypesAsync();
        var page = await Store.HistoryAsync(new("Patient", "a", null, null, 10), default);
        Assert.Equal(["a3", "a2", "a1"], page.Versions.Select(BodyOf));
        var all = await Store.HistoryAsync(new(null, null, null, null, 10), default);
        Assert.Equal(["a3", "", "s2", "a2", "s1", "b1", "a1"], all.Versions.Select(BodyOf));
    }

    [Fact]
    public async Task History_WrittenToBetweenPages_NextPageGoesOnWhereTheLastEnded()
    {
        await ThreeRecordsOfTwoTypesAsync();
        var first = await Store.HistoryAsync(new("Patient", null, null, null, 2), default);
        await CommitAsync(A.Write(A.Record(A.Key("a"), 4)));
        await CommitAsync(A.Write(A.Record(A.Key("new"))));
        var second = await Store.HistoryAsync(new("Patient", null, null, first.Next, 2), default);
        Assert.Equal([("a", 2L), ("b", 1L)], second.Versions.Select(v => (v.Key.Id, v.Version)));
    }

    [Fact]
    public async Task Changes_AreInOrderOfCommitWithAllTheySay()
    {
        await CommitAsync(A.Write(A.Record(A.Key("a"), partition: "somebody"), "book"));
        var last = await CommitAsync(A.Write(A.Tombstone(A.Key("a"), 2)), A.Write(A.Record(A.Key("s", "Slot"))));

        var changes = await Store.ReadChangesAsync(0, 10, default);
        Assert.Equal(3, changes.Count);
        Assert.Equal((A.Key("a"), 1L, false, "somebody", "book", A.Noon.AddSeconds(1)), (changes[0].Key, changes[0].Version, changes[0].Deleted, changes[0].Partition, changes[0].Cause, changes[0].At));
        Assert.Equal((A.Key("a"), 2L, true, "a", "delete"), (changes[1].Key, changes[1].Version, changes[1].Deleted, changes[1].Partition, changes[1].Cause));
        Assert.Equal((A.Key("s", "Slot"), 1L, false, "s", "create"), (changes[2].Key, changes[2].Version, changes[2].Deleted, changes[2].Partition, changes[2].Cause));
        Assert.Equal(last, changes[2].Sequence);
        Assert.True(changes[0].Sequence < changes[1].Sequence && changes[1].Sequence < changes[2].Sequence);

        Assert.Equal(changes.Skip(1), await Store.ReadChangesAsync(changes[0].Sequence, 10, default));
        Assert.Equal(changes.Take(2), await Store.ReadChangesAsync(0, 2, default));
        Assert.Empty(await Store.ReadChangesAsync(last, 10, default));
    }

    [Fact]
    public async Task Journal_IsTheChangesWithTheVersionsTheyMade()
    {
        await CommitAsync(A.Write(A.Record(A.Key("a"))));
        await CommitAsync(A.Write(A.Record(A.Key("a"), 2)));
        await CommitAsync(A.Write(A.Tombstone(A.Key("a"), 3)), A.Write(A.Record(A.Key("s", "Slot"))));

        var rows = await Store.ReadJournalAsync(0, 10, default);

        Assert.Equal(await Store.ReadChangesAsync(0, 10, default), rows.Select(row => row.Change));
        foreach (var (change, version) in rows)
        {
            var stored = await Store.GetVersionAsync(change.Key, change.Version, default);
            Assert.Equal((change.Key, change.Version, change.At, change.Deleted, change.Partition), (version!.Key, version.Version, version.LastUpdated, version.Deleted, version.Partition));
            Assert.Equal(stored!.Body.ToArray(), version.Body.ToArray());
            Assert.True(version.Index.Block.IsEmpty);
        }
        Assert.Equal(rows.Skip(2).Select(row => row.Change), (await Store.ReadJournalAsync(rows[1].Change.Sequence, 2, default)).Select(row => row.Change));
    }

    [Fact]
    public async Task Journal_OfAVersionThatIsGone_HasTheChangeAlone()
    {
        await CommitAsync(A.Write(A.Record(A.Key("a"))));
        await CommitAsync(A.Write(A.Record(A.Key("b"))));
        Assert.IsType<CommitResult.Done>(await Store.CommitAsync(new([], [], [A.Key("a")]), default));

        var rows = await Store.ReadJournalAsync(0, 10, default);

        Assert.Equal([("a", false), ("b", true)], rows.Select(row => (row.Change.Key.Id, row.Version is not null)));
    }

    [Fact]
    public async Task Changes_ReadWhileOthersCommit_NoneIsPassedOver()
    {
        const int writers = 4, each = 60;
        var seen = new List<ChangeRow>();
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await CommitAsync(A.Write(A.Record(A.Key($"w{w}-{i}"))));
            }
        })));
        for (var more = true; more;)
        {
            more = !writing.IsCompleted;
            seen.AddRange(await Store.ReadChangesAsync(seen.Count == 0 ? 0 : seen[^1].Sequence, 7, default) is { Count: > 0 } rows ? rows : []);
            more |= (await Store.ReadChangesAsync(seen.Count == 0 ? 0 : seen[^1].Sequence, 1, default)).Count > 0;
            await Task.Yield();
        }
        await writing;
        Assert.Equal(writers * each, seen.Count);
        Assert.Equal(writers * each, seen.Select(c => c.Key).Distinct().Count());
        foreach (var writer in seen.GroupBy(c => c.Key.Id.Split('-')[0]))
        {
            Assert.Equal(Enumerable.Range(0, each), writer.Select(c => int.Parse(c.Key.Id.Split('-')[1])));
        }
    }
}
