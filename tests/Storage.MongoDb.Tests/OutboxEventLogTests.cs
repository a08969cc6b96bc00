using Events.Contract;

namespace Storage.MongoDb.Tests;

/// <summary>The log on the outbox of this engine, followed by several processes that find out by leases whose turn it is.</summary>
public sealed class OutboxEventLogTests : EventLogContract
{
    protected override int Many => 200; // each commit is a transaction and some round trips

    protected override async ValueTask<EventHouse> OpenAsync()
    {
        var database = new TestDatabase();
        MongoDbRecordStore[] stores = [await database.OpenAsync(), await database.OpenAsync()]; // which know nothing of each other
        return new OutboxHouse(stores, async () =>
        {
            await stores[0].DisposeAsync();
            await stores[1].DisposeAsync();
            await database.DisposeAsync();
        });
    }
}
