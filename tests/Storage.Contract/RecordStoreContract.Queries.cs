using FhirCore.Records;

namespace Storage.Contract;

public abstract partial class RecordStoreContract
{
    private async Task FivePeopleAsync()
    {
        await CommitAsync(
            A.Write(A.Record(A.Key("a"), index: A.Entries((A.Name, "xx"), (A.Name, "yy"), (A.Born, "1970"), (A.Rank, "3")))),
            A.Write(A.Record(A.Key("b"), index: A.Entries((A.Name, "xx"), (A.Born, "1980"), (A.Rank, "1")))),
            A.Write(A.Record(A.Key("c"), index: A.Entries((A.Name, "yy"), (A.Born, "1980")))),
            A.Write(A.Record(A.Key("c-1"), index: A.Entries((A.Name, "zz"), (A.Born, "1990"), (A.Rank, "2")))),
            A.Write(A.Record(A.Key("d"))));
    }

    [Fact]
    public async Task Query_EachKindOfPredicate_FindsItsRecords()
    {
        await FivePeopleAsync();
        Assert.Equal(["a", "b", "c", "c-1", "d"], await IdsAsync(Predicate.Everything));
        Assert.Empty(await IdsAsync(Predicate.Nothing));
        Assert.Equal(["a", "b"], await IdsAsync(A.Is(A.Name, "xx")));
        Assert.Equal(["a"], await IdsAsync(A.All(A.Is(A.Name, "xx"), A.Is(A.Name, "yy"))));
        Assert.Equal(["a", "b", "c"], await IdsAsync(A.Any(A.Is(A.Name, "xx"), A.Is(A.Name, "yy"))));
        Assert.Equal(["b", "c"], await IdsAsync(A.Between(A.Born, "1971", "1990")));
        Assert.Equal(["b", "c", "c-1"], await IdsAsync(A.Between(A.Born, "1971", "")));
        Assert.Equal(["a"], await IdsAsync(A.Between(A.Born, "", "1980")));
        Assert.Empty(await IdsAsync(A.Between(A.Born, "1990", "1971")));
        Assert.Equal(["a", "b", "c-1"], await IdsAsync(new Predicate.Present(A.Rank)));
        Assert.Equal(["c", "d"], await IdsAsync(A.Not(new Predicate.Present(A.Rank))));
        Assert.Equal(["a", "d"], await IdsAsync(A.Ids("d", "zzz", "a")));
        Assert.Equal(["c"], await IdsAsync(A.All(A.Between(A.Born, "1980", "1981"), A.Not(A.Is(A.Name, "xx")))));
        Assert.Equal(["a", "c-1"], await IdsAsync(A.Any(A.Between(A.Born, "1990", ""), A.All(A.Is(A.Name, "xx"), A.Is(A.Name, "yy")))));
        Assert.Empty(await IdsAsync(Predicate.Everything, type: "Slot"));
    }

    [Fact]
    public async Task Query_Orders_PutRecordsWithoutTheFieldLast()
    {
        await FivePeopleAsync();
        Assert.Equal(["d", "c-1", "c", "b", "a"], await IdsAsync(Predicate.Everything, new(null, true)));
        Assert.Equal(["b", "c-1", "a", "c", "d"], await IdsAsync(Predicate.Everything, new(A.Rank, false)));
        Assert.Equal(["a", "c-1", "b", "d", "c"], await IdsAsync(Predicate.Everything, new(A.Rank, true)));
        Assert.Equal(["a", "b", "c", "c-1", "d"], await IdsAsync(Predicate.Everything, new(A.Born, false)));
        Assert.Equal(["c-1", "c", "b", "a", "d"], await IdsAsync(Predicate.Everything, new(A.Born, true)));
        Assert.Equal(["b", "a"], await IdsAsync(A.Is(A.Name, "xx"), new(A.Rank, false)));
        Assert.Equal(["c-1", "a"], await IdsAsync(A.Between(A.Rank, "2", ""), new(A.Rank, false)));
    }

    [Fact]
    public async Task Query_LastUpdated_IsKeptByTheStore()
    {
        await CommitAsync(A.Write(A.Record(A.Key("a"), at: A.Noon.AddHours(2))));
        await CommitAsync(A.Write(A.Record(A.Key("b"), at: A.Noon.AddHours(1))));
        await CommitAsync(A.Write(A.Record(A.Key("c"), at: A.Noon.AddHours(3))));
        await CommitAsync(A.Write(A.Record(A.Key("c"), 2, at: A.Noon.AddHours(4))));
        Assert.Equal(["b", "a", "c"], await IdsAsync(Predicate.Everything, new(IndexField.LastUpdated, false)));
        Assert.Equal(["c", "a", "b"], await IdsAsync(Predicate.Everything, new(IndexField.LastUpdated, true)));
        Assert.Equal(["a"], await IdsAsync(new Predicate.Between(IndexField.LastUpdated, SortableTime.Encode(A.Noon.AddHours(2)), SortableTime.Encode(A.Noon.AddHours(4)))));
        Assert.Equal(["c"], await IdsAsync(new Predicate.EqualTo(IndexField.LastUpdated, SortableTime.Encode(A.Noon.AddHours(4)))));
        Assert.Equal(3, await Store.CountAsync("Patient", new Predicate.Present(IndexField.LastUpdated), 10, default));
    }

    [Fact]
    public async Task Count_CountsRecordsNotEntriesAndStopsAtTheMost()
    {
        await FivePeopleAsync();
        Assert.Equal(5, await Store.CountAsync("Patient", Predicate.Everything, long.MaxValue, default));
        Assert.Equal(3, await Store.CountAsync("Patient", Predicate.Everything, 3, default));
        Assert.Equal(0, await Store.CountAsync("Slot", Predicate.Everything, 3, default));
        Assert.Equal(2, await Store.CountAsync("Patient", A.Is(A.Name, "xx"), 10, default));
        Assert.Equal(1, await Store.CountAsync("Patient", A.Is(A.Name, "xx"), 1, default));
        Assert.Equal(4, await Store.CountAsync("Patient", new Predicate.Present(A.Name), 10, default)); // a has two names
        Assert.Equal(3, await Store.CountAsync("Patient", A.Between(A.Name, "xx", "zz"), 10, default));
        Assert.Equal(1, await Store.CountAsync("Patient", A.All(A.Is(A.Name, "xx"), A.Is(A.Name, "yy")), 10, default));
        Assert.Equal(3, await Store.CountAsync("Patient", A.Any(A.Is(A.Name, "xx"), A.Is(A.Name, "yy")), 10, default));
        Assert.Equal(2, await Store.CountAsync("Patient", A.Not(new Predicate.Present(A.Rank)), 10, default));
        Assert.Equal(1, await Store.CountAsync("Patient", A.Ids("a", "nobody"), 10, default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(10_001)]
    public async Task Query_LimitOutOfRange_Throws(int limit) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await Store.QueryAsync(new("Patient", Predicate.Everything, default, null, limit), default));

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Query_OthersWriteBetweenPages_UntouchedRecordsComeOnceEach(bool byField, bool descending)
    {
        var random = new Random(7);
        for (var i = 0; i < 60; i++)
        {
            await CommitAsync(A.Write(A.Record(A.Key($"keep-{i:d3}"), index: A.Entries((A.Born, $"{random.Next(1000, 1010)}")))),
                A.Write(A.Record(A.Key($"move-{i:d3}"), index: A.Entries((A.Born, $"{random.Next(1000, 1010)}")))));
        }
        var order = new RecordOrder(byField ? A.Born : null, descending);
        var seen = new List<StoredRecord>();
        RecordCursor? after = null;
        var round = 0;
        do
        {
            var page = await Store.QueryAsync(new("Patient", Predicate.Everything, order, after, 7), default);
            seen.AddRange(page.Records.Where(r => r.Key.Id.StartsWith("keep", StringComparison.Ordinal)));
            after = page.Next;
            var victim = A.Key($"move-{round:d3}");
            await CommitAsync(A.Write(round % 2 == 0 ? A.Tombstone(victim, 2) : A.Record(victim, 2, index: A.Entries((A.Born, $"{random.Next(1000, 1010)}")))),
                A.Write(A.Record(A.Key($"add-{round}"), index: A.Entries((A.Born, $"{random.Next(1000, 1010)}")))));
            round++;
        }
        while (after is not null);

        var expected = seen.OrderBy(r => byField ? Convert.ToHexString(r.Index.First(A.Born).Span) : "", StringComparer.Ordinal).ThenBy(r => r.Key.Id, StringComparer.Ordinal);
        var ids = descending ? expected.Reverse() : expected;
        Assert.Equal(60, seen.Count);
        Assert.Equal(ids.Select(r => r.Key.Id), seen.Select(r => r.Key.Id));
    }

    [Fact]
    public async Task Query_ReadsWhileCommitsOfPairsGoOn_SeesWholeCommits()
    {
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (var version = 1; !stop.IsCancellationRequested; version++)
            {
                var index = A.Entries((A.Name, $"{version:d8}"));
                await CommitAsync(A.Write(A.Record(A.Key("left"), version, index: index)), A.Write(A.Record(A.Key("right"), version, index: index)));
            }
        });
        for (var i = 0; i < 50; i++)
        {
            var page = await Store.QueryAsync(new("Patient", i % 2 == 0 ? Predicate.Everything : A.Any(A.Between(A.Name, "0", "9"), A.Ids("nobody")), default, null, 10), default);
            Assert.True(page.Records.Count is 0 or 2);
            Assert.Single(page.Records.Select(r => r.Version).Append(page.Records.FirstOrDefault()?.Version ?? 0).Distinct());
        }
        await stop.CancelAsync();
        await writing;
    }
}
