using FhirCore.Records;
using FhirServer.Observability;
using FhirServer.Settings;
using FhirStore.Caching;
using FhirStore.Encryption;

namespace FhirServer.Hosting;

/// <summary>The database, opened: engine, root key and the database's keys.</summary>
internal sealed class OpenStore : IAsyncDisposable
{
    private readonly FileKeyVault _vault;

    private OpenStore(CountedRecordStore records, FileKeyVault vault, StoreKeys keys)
    {
        Records = records;
        _vault = vault;
        Keys = keys;
    }

    public CountedRecordStore Records { get; }

    public StoreKeys Keys { get; }

    /// <summary>Null where nothing is to be kept.</summary>
    public RecentResources? Recent { get; private init; }

    /// <summary>Null where the engine is backed up with its own tools.</summary>
    public IBackup? Backup => Records.Inner as IBackup;

    /// <param name="notice">Told in one line when the engine cannot write, and when it can again.</param>
    /// <param name="engine">A test's own; null opens the one of the settings.</param>
    /// <exception cref="StoreUnavailableException">Another process uses the folder, the engine cannot be reached, or it holds an unfinished copy.</exception>
    /// <exception cref="KeyFileException">There is data, but not its key file.</exception>
    public static async Task<OpenStore> OpenAsync(
        ServerSettings settings, TimeProvider clock, Action<string>? notice, CancellationToken ct, IRecordStore? engine = null)
    {
        MakePrivate(settings.DataDirectory);
        var keys = new StoreKeysOptions();
        var isToldOfWrites = engine is null && settings.Storage.Provider == StorageProvider.RocksDb; // of which this is the one process
        var recent = settings.Storage.RecentBytes > 0 ? new RecentResources(settings.Storage.RecentBytes, keys.KeyLifetime, isToldOfWrites, clock) : null;
        var records = new CountedRecordStore(engine ?? await Engine.OpenAsync(settings, clock, notice, recent, ct));
        FileKeyVault? vault = null;
        try
        {
            if (await records.GetAsync(IStoreCopy.MarkKey, ct) is not null)
            {
                throw new StoreUnavailableException("The database is an unfinished copy. Let 'copy' end first, or empty the database and copy again.");
            }
            // A new key could never open old data: it is made only where there is none yet.
            vault = FileKeyVault.Open(settings.KeyFile, mayCreate: !await StoreKeys.ExistAsync(records, ct));
            return new(records, vault, await StoreKeys.OpenAsync(records, vault, clock, ct, keys)) { Recent = recent };
        }
        catch
        {
            vault?.Dispose();
            await records.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Records.DisposeAsync();
        Keys.Dispose();
        _vault.Dispose();
    }

    private static void MakePrivate(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
