using System.Security.Cryptography;
using FhirCore;
using FhirCore.Keys;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>
/// The keys of one database, opened: root key (in the vault) → tenant key → data keys, index root, and the rest.
/// Their records are made on the first start; all processes on one database then share them.
/// </summary>
public sealed class StoreKeys : IDisposable
{
    private readonly KeyCache _tenantKeys;
    private readonly KeyCache _dataKeys;

    private StoreKeys(KeyCache tenantKeys, KeyCache dataKeys, RecordCipher cipher, IndexTokens indexTokens, DataProtector protector)
    {
        _tenantKeys = tenantKeys;
        _dataKeys = dataKeys;
        Cipher = cipher;
        IndexTokens = indexTokens;
        Protector = protector;
    }

    public RecordCipher Cipher { get; }

    public IndexTokens IndexTokens { get; }

    public DataProtector Protector { get; }

    /// <summary>Whether the database has keys already, so that a missing key file must not be replaced by a new one.</summary>
    public static async ValueTask<bool> ExistAsync(IRecordStore store, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(store);
        return await store.GetAsync(KeyRecords.TenantKey, ct) is not null;
    }

    /// <summary>Opens the keys; makes them where the database is new. Several processes may do so at once.</summary>
    /// <exception cref="WrongRootKeyException">The vault holds another key than the one the database was made with.</exception>
    /// <exception cref="StoreUnavailableException">The vault or the store does not answer.</exception>
    /// <exception cref="StoreCorruptException">Key records are damaged, or are missing from a database that holds data.</exception>
    public static async ValueTask<StoreKeys> OpenAsync(
        IRecordStore store, IKeyVault vault, TimeProvider clock, CancellationToken ct, StoreKeysOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(clock);
        options ??= new();
        options.Check();
        await EnsureAsync(store, vault, options.Tenant, clock, ct);

        var tenantKeys = new KeyCache(capacity: 4, options.KeyLifetime, clock);
        KeyCache? dataKeyCache = null;
        try
        {
            var tenantKey = new TenantKey(store, vault, options.Tenant, tenantKeys);
            var (_, names) = await ReadAsync(store, tenantKey, KeyRecords.SubjectNames, ct);
            var (epoch, indexRoot) = await ReadAsync(store, tenantKey, KeyRecords.IndexRoot, ct);
            var (_, protector) = await ReadAsync(store, tenantKey, KeyRecords.Protector, ct);
            dataKeyCache = new KeyCache(options.CachedKeys, options.KeyLifetime, clock);
            var dataKeys = new DataKeys(store, tenantKey, new SubjectNames(names), dataKeyCache, clock);
            return new(tenantKeys, dataKeyCache, new(dataKeys, options.Tenant), new(indexRoot, epoch), new(protector));
        }
        catch
        {
            tenantKeys.Dispose();
            dataKeyCache?.Dispose();
            throw;
        }
    }

    /// <summary>Wipes the cached keys.</summary>
    public void Dispose()
    {
        _tenantKeys.Dispose();
        _dataKeys.Dispose();
    }

    private static async ValueTask EnsureAsync(IRecordStore store, IKeyVault vault, string tenant, TimeProvider clock, CancellationToken ct)
    {
        // Looked at before the key record: whoever writes data has made the keys first, so data without keys means a loss.
        var holdsData = (await store.ReadChangesAsync(0, 1, ct)).Count > 0;
        if (await ExistAsync(store, ct))
        {
            return;
        }
        if (holdsData)
        {
            throw new StoreCorruptException($"The database holds data but its key record {KeyRecords.TenantKey} is missing. Restore it from a backup.");
        }
        var key = RandomNumberGenerator.GetBytes(MessageCipher.KeySize);
        var names = RandomNumberGenerator.GetBytes(MessageCipher.KeySize);
        var wrapped = await TenantKey.WrapByVaultAsync(vault, tenant, key, ct);
        var commit = Commit.Of(
            KeyRecords.Create(KeyRecords.TenantKey, 0, wrapped, clock),
            Create(KeyRecords.SubjectNames, names),
            Create(KeyRecords.IndexRoot, RandomNumberGenerator.GetBytes(MessageCipher.KeySize)),
            Create(KeyRecords.Protector, RandomNumberGenerator.GetBytes(MessageCipher.KeySize)),
            Create(new SubjectNames(names).IdOf(null).RecordKey, RandomNumberGenerator.GetBytes(MessageCipher.KeySize))); // so the first writers need not race for it
        CryptographicOperations.ZeroMemory(key);
        await store.CommitAsync(commit, ct); // a version conflict means that another process was first: its keys are read next

        RecordWrite Create(ResourceKey record, byte[] value)
        {
            var wrappedValue = TenantKey.Wrap(key, wrapped.Epoch, tenant, value, record, epoch: 1);
            return KeyRecords.Create(record, 0, wrappedValue, clock);
        }
    }

    private static async ValueTask<(int Epoch, byte[] Key)> ReadAsync(IRecordStore store, TenantKey tenantKey, ResourceKey key, CancellationToken ct)
    {
        var record = await store.GetAsync(key, ct) ?? throw KeyRecords.Damaged(key);
        var current = KeyRecords.Read(record)[^1];
        return (current.Epoch, await tenantKey.UnwrapAsync(current, key, ct));
    }
}
