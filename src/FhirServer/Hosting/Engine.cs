using FhirCore.Records;
using FhirServer.Settings;
using FhirStore.Indexing;
using Storage.MongoDb;
using Storage.RocksDb;

namespace FhirServer.Hosting;

/// <summary>Opens the record store that <c>Storage:Provider</c> names.</summary>
internal static class Engine
{
    /// <param name="notice">Told in one line when the engine cannot write, and when it can again.</param>
    public static async Task<IRecordStore> OpenAsync(ServerSettings settings, TimeProvider clock, Action<string>? notice, CancellationToken ct) =>
        settings.Storage.Provider switch
        {
            StorageProvider.MongoDb => await MongoDbRecordStore.OpenAsync(
                new()
                {
                    ConnectionString = settings.Storage.MongoDbConnectionString!,
                    Database = settings.Storage.MongoDbDatabase,
                    OperationTimeout = settings.Storage.MongoDbOperationTimeout,
                    OrderedFields = OrderedFields.All,
                },
                clock, notice, ct),
            _ => OpenRocksDb(settings, clock, notice),
        };

    public static RocksDbRecordStore OpenRocksDb(ServerSettings settings, TimeProvider clock, Action<string>? notice) =>
        RocksDbRecordStore.Open(new() { Directory = settings.RecordsDirectory }, clock, notice);
}
