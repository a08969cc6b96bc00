using FhirCore.Records;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.Contract;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Tests;

/// <summary>Numbers of the change log are taken before their rows can be seen. No reader may pass by a row that comes late.</summary>
public sealed class ChangeLogTests : IAsyncLifetime
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly TestDatabase _database = new();
    private readonly FakeTimeProvider _clock = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Changes_ANumberHasNoRowYet_NothingBehindItIsGivenOut()
    {
        await using var store = await _database.OpenAsync(clock: _clock);
        await CommitAsync(store, "a");
        var taken = await TakeNumberAsync();
        await CommitAsync(store, "b");

        Assert.Equal(["a"], await ReadAsync(store, 0));
        _clock.Advance(Grace - TimeSpan.FromMilliseconds(1));
        Assert.Equal(["a"], await ReadAsync(store, 0));
        await _database.Documents(Names.Journal).InsertOneAsync(LateRow(taken));
        Assert.Equal(["a", "late", "b"], await ReadAsync(store, 0));
    }

    [Fact]
    public async Task Changes_ANumberStaysWithoutRow_IsGivenUpForGood()
    {
        await using var store = await _database.OpenAsync(clock: _clock);
        var taken = await TakeNumberAsync();
        await CommitAsync(store, "b");
        Assert.Empty(await ReadAsync(store, 0));
        _clock.Advance(Grace);
        Assert.Equal(["b"], await ReadAsync(store, 0));
        Assert.Equal(["b"], await ReadAsync(store, taken));
        await Assert.ThrowsAsync<MongoWriteException>(() => _database.Documents(Names.Journal).InsertOneAsync(LateRow(taken)));
        Assert.Equal(["b"], (await store.HistoryAsync(new(null, null, null, null, 10), default)).Versions.Select(v => v.Key.Id));
    }

    [Fact]
    public async Task Commit_HeldBackBeforeItsRow_ComesUnderANewNumberAndIsNotMissed()
    {
        using var proxy = new WireProxy(_database.Uri);
        await using var slow = await _database.OpenAsync(_database.Options with { ConnectionString = proxy.Uri });
        await using var store = await _database.OpenAsync(clock: _clock);
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        proxy.OnRequest = m => HoldAsync(m.Is("insert", Names.Journal) && !goOn.Task.IsCompleted, reached, goOn.Task);
        var held = slow.CommitAsync(A.Commit(A.Write(A.Record(A.Key("slow"))), A.Write(A.Record(A.Key("slow2")))), default);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await CommitAsync(store, "a");
        Assert.Empty(await ReadAsync(store, 0));
        _clock.Advance(Grace);
        Assert.Equal(["a"], await ReadAsync(store, 0));
        var position = (await store.ReadChangesAsync(0, 10, default))[^1].Sequence;

        goOn.SetResult();
        var done = Assert.IsType<CommitResult.Done>(await held);
        Assert.True(done.Sequence > position);
        Assert.Equal(["slow", "slow2"], await ReadAsync(store, position));
        Assert.Equal(1, (await store.GetAsync(A.Key("slow"), default))!.Version);
        Assert.Single((await store.HistoryAsync(new("Patient", "slow", null, null, 10), default)).Versions);
    }

    [Fact]
    public async Task Commit_HeldBackBehindItsRow_StopsReadersUntilItEnds()
    {
        using var proxy = new WireProxy(_database.Uri);
        await using var slow = await _database.OpenAsync(_database.Options with { ConnectionString = proxy.Uri });
        await using var store = await _database.OpenAsync(clock: _clock);
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        proxy.OnRequest = m => HoldAsync(m.Is("commitTransaction"), reached, goOn.Task);
        var held = slow.CommitAsync(A.Commit(A.Write(A.Record(A.Key("slow")))), default);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await CommitAsync(store, "a");
        Assert.Empty(await ReadAsync(store, 0));
        _clock.Advance(Grace);
        Assert.Empty(await ReadAsync(store, 0)); // its row may come any moment: it cannot be given up
        goOn.SetResult();
        await held;
        Assert.Equal(["slow", "a"], await ReadAsync(store, 0));
    }

    [Fact]
    public async Task Commit_Refused_LeavesNoGap()
    {
        await using var store = await _database.OpenAsync(clock: _clock);
        await CommitAsync(store, "a");
        Assert.IsType<CommitResult.VersionConflict>(await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a")))), default));
        Assert.IsType<CommitResult.MatchFound>(await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("c")))).When(A.None(Predicate.Everything)), default));
        await CommitAsync(store, "b");
        Assert.Equal([1L, 2L], (await store.ReadChangesAsync(0, 10, default)).Select(c => c.Sequence));
    }

    private static async ValueTask<WireProxy.Fate> HoldAsync(bool isHeld, TaskCompletionSource reached, Task goOn)
    {
        if (isHeld)
        {
            reached.TrySetResult();
            await goOn;
        }
        return WireProxy.Fate.Pass;
    }

    private static async Task CommitAsync(MongoDbRecordStore store, string id) =>
        Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key(id)))), default));

    private static async Task<IEnumerable<string>> ReadAsync(MongoDbRecordStore store, long after) =>
        (await store.ReadChangesAsync(after, 10, default)).Select(c => c.Key.Id);

    /// <summary>Another process takes a number, and its row is not there yet.</summary>
    private async Task<long> TakeNumberAsync()
    {
        var counter = await _database.Documents(Names.Counters).FindOneAndUpdateAsync<BsonDocument>(
            new BsonDocument(Names.Id, "journal"), new BsonDocument("$inc", new BsonDocument(Names.Number, 1L)), new() { IsUpsert = true, ReturnDocument = ReturnDocument.After });
        return counter[Names.Number].ToInt64();
    }

    private static BsonDocument LateRow(long sequence) => DocumentWriter.JournalRow(sequence, A.Record(A.Key("late")), "create", ObjectId.GenerateNewId());
}
