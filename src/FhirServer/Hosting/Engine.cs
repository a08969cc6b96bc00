using FhirCore.Records;
using FhirServer.Commands;
using FhirServer.Settings;
using FhirStore.Indexing;
using Storage.MongoDb;
using Storage.RocksDb;

namespace FhirServer.Hosting;

/// <summary>Opens the record store that <c>Storage:Provider</c> names.</summary>
internal static class Engine
{
    /// <param name="notice">Told in one line when the engine cannot write, and when it can again.</param>
    /// <param name="listener">Told of every write, where this process makes all of them.</param>
    public static async Task<IRecordStore> OpenAsync(ServerSettings settings, TimeProvider clock, Action<string>? notice, IWriteListener? listener, CancellationToken ct) =>
        settings.Storage.Provider == StorageProvider.MongoDb
            ? await OpenMongoDbAsync(settings.Storage.MongoDbConnectionString!, settings.Storage.MongoDbDatabase, settings.Storage.MongoDbOperationTimeout, clock, notice, ct)
            : OpenRocksDb(settings, clock, notice, listener);

    private static async Task<IRecordStore> OpenMongoDbAsync(string connectionString, string database, TimeSpan timeout, TimeProvider clock, Action<string>? notice, CancellationToken ct) =>
        await MongoDbRecordStore.OpenAsync(
            new() { ConnectionString = connectionString, Database = database, OperationTimeout = timeout, OrderedFields = OrderedFields.All }, clock, notice, ct);

    public static RocksDbRecordStore OpenRocksDb(ServerSettings settings, TimeProvider clock, Action<string>? notice, IWriteListener? listener = null) =>
        RocksDbRecordStore.Open(new() { Directory = settings.RecordsDirectory, Listener = listener }, clock, notice);

    /// <summary>Opens the store that a command names.</summary>
    /// <param name="mustExist">A source: it is never made.</param>
    public static async Task<IRecordStore> OpenAsync(StoreName name, bool mustExist, TimeProvider clock, CancellationToken ct)
    {
        switch (name.Provider)
        {
            case StoreName.RocksDb:
                if (mustExist && !Directory.Exists(name.RecordsDirectory))
                {
                    throw new CommandException($"There is no store in {name.RecordsDirectory}.");
                }
                return RocksDbRecordStore.Open(new() { Directory = name.RecordsDirectory }, clock, Console.Error.WriteLine);
            default:
                return await OpenMongoDbAsync(name.Location, name.Database, TimeSpan.FromMinutes(1), clock, Console.Error.WriteLine, ct);
        }
    }
}
