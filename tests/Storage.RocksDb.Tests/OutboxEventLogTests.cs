using Events.Contract;

namespace Storage.RocksDb.Tests;

/// <summary>The log on the outbox of this engine.</summary>
public sealed class OutboxEventLogTests : EventLogContract
{
    protected override ValueTask<EventHouse> OpenAsync()
    {
        var folder = new TemporaryFolder();
        var store = RocksDbRecordStore.Open(new() { Directory = folder.Path }, TimeProvider.System);
        return new(new OutboxHouse([store], async () =>
        {
            await store.DisposeAsync();
            folder.Dispose();
        }));
    }
}
