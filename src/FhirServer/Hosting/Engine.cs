using FhirServer.Settings;
using Storage.RocksDb;

namespace FhirServer.Hosting;

/// <summary>Opens the record store that <c>Storage:Provider</c> names.</summary>
internal static class Engine
{
    public static RocksDbRecordStore Open(ServerSettings settings, TimeProvider clock, Action<string>? notice = null) =>
        RocksDbRecordStore.Open(new() { Directory = settings.RecordsDirectory }, clock, notice);
}
