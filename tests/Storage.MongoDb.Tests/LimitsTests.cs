using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.Contract;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Tests;

/// <summary>What the engine cannot hold, and documents that are not what was written.</summary>
public sealed class LimitsTests : IAsyncLifetime
{
    private readonly TestDatabase _database = new();
    private MongoDbRecordStore _store = null!;

    public async ValueTask InitializeAsync() => _store = await _database.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Commit_RecordAtTheLimit_GoesInAndOneByteMoreDoesNot()
    {
        var most = new byte[DocumentWriter.MostBytes];
        Random.Shared.NextBytes(most);
        var written = A.Write(A.Record(A.Key("big")) with { Body = most });
        Assert.IsType<CommitResult.Done>(await _store.CommitAsync(A.Commit(written), default));
        Assert.True((await _store.GetAsync(A.Key("big"), default))!.Body.Span.SequenceEqual(most));

        var tooMuch = A.Write(A.Record(A.Key("bigger")) with { Body = new byte[DocumentWriter.MostBytes + 1] });
        var refused = await Assert.ThrowsAsync<RecordTooLargeException>(() => _store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("small"))), tooMuch), default));
        Assert.Equal((A.Key("bigger"), (long)DocumentWriter.MostBytes), (refused.Key, refused.Most));
        Assert.Null(await _store.GetAsync(A.Key("small"), default));
    }

    [Fact]
    public async Task Commit_IndexAloneIsTooLarge_IsRefusedBeforeAnythingIsWritten()
    {
        var index = new IndexEntries.Builder();
        for (var i = 0; i < 40_000; i++)
        {
            var value = new byte[250];
            BitConverter.TryWriteBytes(value, i);
            index.Add(A.Name, value);
        }
        await Assert.ThrowsAsync<RecordTooLargeException>(() => _store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), index: index.Build()))), default));
        Assert.Null(await _store.GetAsync(A.Key("a"), default));
    }

    [Fact]
    public async Task Commit_TwoValuesOfAFieldThatOrders_Throws()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), index: A.Entries((A.Rank, "1"), (A.Rank, "2"))))), default));
        Assert.Null(await _store.GetAsync(A.Key("a"), default));
    }

    [Fact]
    public async Task Query_OrderByAFieldThatIsNotKeptInOrder_Throws() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.QueryAsync(new("Patient", Predicate.Everything, new(A.Name, false), null, 10), default));

    [Fact]
    public async Task Get_GivesBackTheIndexAsItWas()
    {
        var index = A.Entries((A.Name, "xx"), (A.Name, "yy"), (A.Rank, "1"), (A.Born, "1970"));
        await _store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), index: index))), default);
        var found = (await _store.GetAsync(A.Key("a"), default))!.Index;
        var oracle = new InMemoryRecordStore();
        await oracle.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), index: index))), default);
        Assert.Equal((await oracle.GetAsync(A.Key("a"), default))!.Index.Block.ToArray(), found.Block.ToArray());
    }

    [Theory]
    [InlineData("{ $set: { v: 'one' } }")]
    [InlineData("{ $set: { v: 0 } }")]
    [InlineData("{ $unset: { p: 1 } }")]
    [InlineData("{ $unset: { b: 1 } }")]
    [InlineData("{ $set: { b: 'text' } }")]
    [InlineData("{ $set: { u: 'not a time' } }")]
    [InlineData("{ $set: { u: 'zzzzzzzzzzz' } }")]
    [InlineData("{ $set: { u: 7 } }")]
    [InlineData("{ $set: { d: true } }")]
    [InlineData("{ $set: { k: { $binary: { base64: 'AAAAAQk=', subType: '00' } } } }")]
    public async Task Read_DocumentIsNotWhatWasWritten_IsCorrupt(string tampering)
    {
        await _store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a")))), default);
        await _database.Documents(Names.Records).UpdateOneAsync(new BsonDocument(), BsonDocument.Parse(tampering));
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await _store.GetAsync(A.Key("a"), default));
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await _store.QueryAsync(new("Patient", Predicate.Everything, default, null, 10), default));
    }

    [Theory]
    [InlineData("{ $set: { k: 'no key' } }")]
    [InlineData("{ $unset: { k: 1 } }")]
    [InlineData("{ $unset: { c: 1 } }")]
    [InlineData("{ $set: { v: -1 } }")]
    public async Task Changes_RowIsNotWhatWasWritten_IsCorrupt(string tampering)
    {
        await _store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a")))), default);
        await _database.Documents(Names.Journal).UpdateOneAsync(new BsonDocument(), BsonDocument.Parse(tampering));
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await _store.ReadChangesAsync(0, 10, default));
    }
}
