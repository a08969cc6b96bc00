using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.Contract;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Tests;

/// <summary>Commits whose answers get lost or whose transactions abort: each takes effect once, and whoever asked is told what happened.</summary>
[Collection(FailPoints.Collection)]
public sealed class CommitOutcomeTests : IAsyncLifetime
{
    private readonly TestDatabase _database = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData("insert", 112, "TransientTransactionError")]
    [InlineData("update", 112, "TransientTransactionError")]
    [InlineData("commitTransaction", 112, "TransientTransactionError")]
    [InlineData("commitTransaction", 91, "UnknownTransactionCommitResult")]
    [InlineData("commitTransaction", 50, "UnknownTransactionCommitResult")]
    [InlineData("findAndModify", 91, "RetryableWriteError")]
    public async Task Commit_ServerFailsTwice_TakesEffectOnce(string command, int code, string label)
    {
        await using var store = await _database.OpenAsync();
        await DoneAsync(store, A.Write(A.Record(A.Key("a"))));
        using (await FailPoints.SetAsync(_database, command, times: 2, new() { { "errorCode", code }, { "errorLabels", new BsonArray { label } } }))
        {
            await DoneAsync(store, A.Write(A.Record(A.Key("a"), 2)), A.Write(A.Record(A.Key("b"))));
        }
        await AssertThreeRowsAsync(store);
    }

    [Theory]
    [InlineData("insert")]
    [InlineData("update")]
    [InlineData("commitTransaction")]
    [InlineData("findAndModify")]
    public async Task Commit_ConnectionCloses_TakesEffectOnce(string command)
    {
        await using var store = await _database.OpenAsync();
        await DoneAsync(store, A.Write(A.Record(A.Key("a"))));
        using (await FailPoints.SetAsync(_database, command, times: 2, new("closeConnection", true)))
        {
            await DoneAsync(store, A.Write(A.Record(A.Key("a"), 2)), A.Write(A.Record(A.Key("b"))));
        }
        await AssertThreeRowsAsync(store);
    }

    [Theory]
    [InlineData(nameof(WireProxy.Fate.LoseReply), 1)]
    [InlineData(nameof(WireProxy.Fate.LoseReply), 12)]
    [InlineData(nameof(WireProxy.Fate.LoseRequest), 1)]
    [InlineData(nameof(WireProxy.Fate.LoseRequest), 12)]
    public async Task Commit_AnswersAreLost_TakesEffectOnce(string fate, int times)
    {
        using var proxy = new WireProxy(_database.Uri);
        await using var store = await _database.OpenAsync(_database.Options with { ConnectionString = proxy.Uri });
        await DoneAsync(store, A.Write(A.Record(A.Key("a"))));
        var left = times;
        proxy.OnRequest = m => new(m.Is("commitTransaction") && Interlocked.Decrement(ref left) >= 0 ? Enum.Parse<WireProxy.Fate>(fate) : WireProxy.Fate.Pass);
        await DoneAsync(store, A.Write(A.Record(A.Key("a"), 2)), A.Write(A.Record(A.Key("b"))));
        Assert.True(left < times);
        await AssertThreeRowsAsync(store);
    }

    [Fact]
    public async Task Commit_NeverArrives_LaterCommitsAndTheLogGoOn()
    {
        using var proxy = new WireProxy(_database.Uri);
        await using var cut = await _database.OpenAsync(_database.Options with { ConnectionString = proxy.Uri, OperationTimeout = TimeSpan.FromSeconds(3) });
        await using var other = await _database.OpenAsync();
        proxy.OnRequest = m => new(m.Is("commitTransaction") ? WireProxy.Fate.LoseRequest : WireProxy.Fate.Pass);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => cut.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a")))), default));
        await DoneAsync(other, A.Write(A.Record(A.Key("a"), body: "of the other")));
        await DoneAsync(other, A.Write(A.Record(A.Key("b"))));
        var changes = await ReadAllAsync(other, 2);
        Assert.Equal([A.Key("a"), A.Key("b")], changes.Select(c => c.Key));
        Assert.Equal("of the other", System.Text.Encoding.UTF8.GetString((await other.GetAsync(A.Key("a"), default))!.Body.Span));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task InternalWriteAlone_AnswersAreLost_TakesEffectOnce(long expected)
    {
        using var proxy = new WireProxy(_database.Uri);
        await using var store = await _database.OpenAsync(_database.Options with { ConnectionString = proxy.Uri });
        if (expected == 1)
        {
            await DoneAsync(store, A.Internal(A.Record(A.Key("t", "_token"))));
        }
        var left = 2;
        proxy.OnRequest = m => new((m.Is("insert", Names.Records) || m.Is("update", Names.Records)) && Interlocked.Decrement(ref left) >= 0 ? WireProxy.Fate.LoseReply : WireProxy.Fate.Pass);
        await DoneAsync(store, A.Internal(A.Record(A.Key("t", "_token"), expected + 1)));
        Assert.True(left < 1);
        Assert.Equal(expected + 1, (await store.GetAsync(A.Key("t", "_token"), default))!.Version);
    }

    private static async Task DoneAsync(MongoDbRecordStore store, params RecordWrite[] writes) =>
        Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit(writes), default));

    private static async Task<IReadOnlyList<ChangeRow>> ReadAllAsync(MongoDbRecordStore store, int count)
    {
        for (var waited = 0; ; waited++)
        {
            var changes = await store.ReadChangesAsync(0, 100, default);
            if (changes.Count >= count || waited == 100)
            {
                return changes;
            }
            await Task.Delay(100);
        }
    }

    private async Task AssertThreeRowsAsync(MongoDbRecordStore store)
    {
        Assert.Equal([("a", 1L), ("a", 2L), ("b", 1L)], (await ReadAllAsync(store, 3)).Select(c => (c.Key.Id, c.Version)));
        Assert.Equal(2, (await store.GetAsync(A.Key("a"), default))!.Version);
        Assert.Equal(1, (await store.GetAsync(A.Key("b"), default))!.Version);
        Assert.Equal(3, await _database.Documents(Names.Journal).CountDocumentsAsync(new BsonDocument(Names.Void, new BsonDocument("$exists", false))));
    }
}

/// <summary>Errors the server is told to give. They hold for the whole server, so tests that use them run one at a time.</summary>
[CollectionDefinition(Collection, DisableParallelization = true)]
public static class FailPoints
{
    public const string Collection = "fail points";

    internal static async Task<IDisposable> SetAsync(TestDatabase database, string command, int times, BsonDocument data)
    {
        try
        {
            await database.Admin.RunCommandAsync<BsonDocument>(new BsonDocument
            {
                { "configureFailPoint", "failCommand" },
                { "mode", new BsonDocument("times", times) },
                { "data", new BsonDocument("failCommands", new BsonArray { command }).AddRange(data) },
            });
        }
        catch (MongoCommandException e)
        {
            Assert.Skip($"needs MongoDB with test commands (--setParameter enableTestCommands=1): {e.CodeName}");
        }
        return new Off(database);
    }

    private sealed class Off(TestDatabase database) : IDisposable
    {
        public void Dispose() => database.Admin.RunCommand<BsonDocument>(new BsonDocument { { "configureFailPoint", "failCommand" }, { "mode", "off" } });
    }
}
