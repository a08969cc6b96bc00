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
    public static RocksDbRecordStore Open(ServerSettings settings, TimeProvider clock, Action<string>? notice = null) =>
        RocksDbRecordStore.Open(new() { Directory = settings.RecordsDirectory }, clock, notice);

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
                return await MongoDbRecordStore.OpenAsync(
                    new() { ConnectionString = name.Location, Database = name.Database, OrderedFields = OrderedFields.All, OperationTimeout = TimeSpan.FromMinutes(1) },
                    clock, Console.Error.WriteLine, ct);
        }
    }
}
