using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.Contract;
using Tests.Shared;

namespace Storage.MongoDb.Tests;

/// <summary>A database of one test, dropped at its end.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly MongoClient _client;

    public TestDatabase(string? uri = null)
    {
        Uri = uri ?? MongoServer.UriOrSkip();
        _client = new MongoClient(Uri);
    }

    public string Uri { get; }

    public string Name { get; } = MongoServer.NewDatabase();

    /// <summary>The same documents, past the store.</summary>
    public IMongoDatabase Raw => _client.GetDatabase(Name);

    public IMongoDatabase Admin => _client.GetDatabase("admin");

    /// <summary>Machines that run tests are slow and shared: the limit on a call is looked at by tests of its own.</summary>
    public MongoDbOptions Options => new() { ConnectionString = Uri, Database = Name, OrderedFields = A.OrderedFields, OperationTimeout = TimeSpan.FromMinutes(1) };

    public Task<MongoDbRecordStore> OpenAsync(MongoDbOptions? options = null, TimeProvider? clock = null) =>
        MongoDbRecordStore.OpenAsync(options ?? Options, clock ?? TimeProvider.System, null, default);

    public IMongoCollection<BsonDocument> Documents(string collection) => Raw.GetCollection<BsonDocument>(collection);

    public async ValueTask DisposeAsync()
    {
        await _client.DropDatabaseAsync(Name);
        _client.Dispose();
    }
}
