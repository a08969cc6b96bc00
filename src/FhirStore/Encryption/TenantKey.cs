using System.Globalization;
using System.Security.Cryptography;
using FhirCore;
using FhirCore.Keys;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>
/// The tenant's key: wraps every other key of the database and is itself wrapped by the vault. Kept unwrapped only as long as a
/// data key is, so that taking the vault away takes the data away.
/// </summary>
internal sealed class TenantKey(IRecordStore store, IKeyVault vault, string tenant, KeyCache cache)
{
    private int _current;

    /// <summary>Makes the first epoch; nothing is stored yet.</summary>
    public static async ValueTask<WrappedKey> WrapByVaultAsync(IKeyVault vault, string tenant, ReadOnlyMemory<byte> key, CancellationToken ct)
    {
        const int epoch = 1;
        var context = KeyRecords.Context(tenant, KeyRecords.TenantKey, epoch);
        return new(epoch, vault.KeyId, await AskVault(v => v.WrapAsync(key, context, ct), vault));
    }

    /// <summary>Wraps a key for its record under a tenant key that is at hand.</summary>
    public static WrappedKey Wrap(ReadOnlySpan<byte> tenantKey, int tenantEpoch, string tenant, ReadOnlySpan<byte> key, ResourceKey record, int epoch) =>
        new(epoch, tenantEpoch.ToString(CultureInfo.InvariantCulture), KeyWrap.Wrap(tenantKey, key, KeyRecords.Context(tenant, record, epoch)));

    /// <exception cref="StoreUnavailableException">The tenant's key is not at hand and the vault does not answer.</exception>
    public ValueTask<WrappedKey> WrapAsync(ReadOnlyMemory<byte> key, ResourceKey record, int epoch, CancellationToken ct)
    {
        Span<byte> tenantKey = stackalloc byte[MessageCipher.KeySize];
        var current = Volatile.Read(ref _current);
        if (current == 0 || !cache.TryCopy((UInt128)current, current, tenantKey, out _))
        {
            return WrapUncachedAsync(key, record, epoch, ct);
        }
        var wrapped = Wrap(tenantKey, current, tenant, key.Span, record, epoch);
        CryptographicOperations.ZeroMemory(tenantKey);
        return new(wrapped);
    }

    /// <returns>The key, to be wiped by the caller.</returns>
    /// <exception cref="StoreUnavailableException">The tenant's key is not at hand and the vault does not answer.</exception>
    /// <exception cref="StoreCorruptException">The wrapped key was altered, or belongs to another record.</exception>
    public ValueTask<byte[]> UnwrapAsync(WrappedKey wrapped, ResourceKey record, CancellationToken ct)
    {
        if (!int.TryParse(wrapped.WrappedBy, NumberStyles.None, CultureInfo.InvariantCulture, out var tenantEpoch))
        {
            throw KeyRecords.Damaged(record);
        }
        Span<byte> tenantKey = stackalloc byte[MessageCipher.KeySize];
        if (!cache.TryCopy((UInt128)tenantEpoch, tenantEpoch, tenantKey, out _))
        {
            return UnwrapUncachedAsync(wrapped, tenantEpoch, record, ct);
        }
        try
        {
            return new(Unwrap(tenantKey, wrapped, record));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(tenantKey);
        }
    }

    private async ValueTask<WrappedKey> WrapUncachedAsync(ReadOnlyMemory<byte> key, ResourceKey record, int epoch, CancellationToken ct)
    {
        var (current, tenantKey) = await LoadAsync(null, ct);
        var wrapped = Wrap(tenantKey, current, tenant, key.Span, record, epoch);
        CryptographicOperations.ZeroMemory(tenantKey);
        return wrapped;
    }

    private async ValueTask<byte[]> UnwrapUncachedAsync(WrappedKey wrapped, int tenantEpoch, ResourceKey record, CancellationToken ct)
    {
        var (_, tenantKey) = await LoadAsync(tenantEpoch, ct);
        try
        {
            return Unwrap(tenantKey, wrapped, record);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(tenantKey);
        }
    }

    private byte[] Unwrap(ReadOnlySpan<byte> tenantKey, WrappedKey wrapped, ResourceKey record)
    {
        try
        {
            var key = KeyWrap.Unwrap(tenantKey, wrapped.Bytes.Span, KeyRecords.Context(tenant, record, wrapped.Epoch));
            return key.Length == MessageCipher.KeySize ? key : throw KeyRecords.Damaged(record);
        }
        catch (CryptographicException e)
        {
            throw KeyRecords.Damaged(record, e);
        }
    }

    /// <param name="epoch">Null takes the current one.</param>
    private async ValueTask<(int Epoch, byte[] Key)> LoadAsync(int? epoch, CancellationToken ct)
    {
        var record = await store.GetAsync(KeyRecords.TenantKey, ct) ?? throw KeyRecords.Damaged(KeyRecords.TenantKey);
        var epochs = KeyRecords.Read(record);
        var wrapped = (epoch is null ? epochs[^1] : epochs.FirstOrDefault(e => e.Epoch == epoch)) ?? throw KeyRecords.Damaged(KeyRecords.TenantKey);
        var key = await UnwrapByVaultAsync(wrapped, ct);
        cache.Put((UInt128)wrapped.Epoch, wrapped.Epoch, key);
        Volatile.Write(ref _current, epochs[^1].Epoch);
        return (wrapped.Epoch, key);
    }

    private async ValueTask<byte[]> UnwrapByVaultAsync(WrappedKey wrapped, CancellationToken ct)
    {
        if (wrapped.WrappedBy != vault.KeyId)
        {
            throw new WrongRootKeyException(wrapped.WrappedBy, vault.KeyId);
        }
        var context = KeyRecords.Context(tenant, KeyRecords.TenantKey, wrapped.Epoch);
        try
        {
            var key = await AskVault(v => v.UnwrapAsync(wrapped.Bytes, context, ct), vault);
            return key.Length == MessageCipher.KeySize ? key : throw KeyRecords.Damaged(KeyRecords.TenantKey);
        }
        catch (CryptographicException e)
        {
            throw KeyRecords.Damaged(KeyRecords.TenantKey, e);
        }
    }

    private static async ValueTask<byte[]> AskVault(Func<IKeyVault, ValueTask<byte[]>> ask, IKeyVault vault)
    {
        try
        {
            return await ask(vault);
        }
        catch (Exception e) when (e is not (CryptographicException or OperationCanceledException or StoreUnavailableException))
        {
            throw new StoreUnavailableException("The key vault does not answer.", e);
        }
    }
}
