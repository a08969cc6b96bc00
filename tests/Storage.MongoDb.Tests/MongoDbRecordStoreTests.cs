using FhirCore.Records;
using MongoDB.Driver;
using Storage.Contract;
using Tests.Shared;

namespace Storage.MongoDb.Tests;

public sealed class MongoDbRecordStoreTests : RecordStoreContract
{
    private readonly TestDatabase _database = new();

    protected override async ValueTask<IRecordStore> OpenAsync() => await _database.OpenAsync();

    // Hundreds of round trips each: fewer samples than an embedded engine takes.
    protected override int Samples => 8;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _database.DisposeAsync();
    }
}
