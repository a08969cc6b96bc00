using System.Security.Cryptography;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>The keys that bodies are sealed under: one for each patient, one for the tenant's own data.</summary>
internal sealed class DataKeys(IRecordStore store, TenantKey tenantKey, SubjectNames names, KeyCache cache, TimeProvider clock)
{
    public DataKeyId IdOf(string? subject) => names.IdOf(subject);

    /// <param name="epoch">0 takes the current one.</param>
    /// <param name="key">Receives a copy, to be wiped by the caller.</param>
    public bool TryCopyCached(DataKeyId id, int epoch, Span<byte> key, out int found) => cache.TryCopy(id.Value, epoch, key, out found);

    /// <returns>To be wiped by the caller; null where there is no such key (any more).</returns>
    public async ValueTask<byte[]?> LoadAsync(DataKeyId id, int epoch, CancellationToken ct)
    {
        var record = await store.GetAsync(id.RecordKey, ct);
        if (record is null || record.Deleted)
        {
            return null;
        }
        var epochs = KeyRecords.Read(record);
        foreach (var wrapped in epochs)
        {
            if (wrapped.Epoch == epoch)
            {
                var key = await tenantKey.UnwrapAsync(wrapped, record.Key, ct);
                if (epoch == epochs[^1].Epoch)
                {
                    cache.Put(id.Value, epoch, key);
                }
                return key;
            }
        }
        return null;
    }

    /// <summary>
    /// The current key. Where there is none a new one is made and its record added to <paramref name="keyWrites"/>. Such a key is
    /// not cached: it exists only once that record is committed, and two writers may be making it at once.
    /// </summary>
    /// <returns>The key is to be wiped by the caller.</returns>
    public async ValueTask<(int Epoch, byte[] Key)> LoadOrCreateAsync(DataKeyId id, ICollection<RecordWrite> keyWrites, CancellationToken ct)
    {
        var recordKey = id.RecordKey;
        foreach (var write in keyWrites)
        {
            if (write.Record.Key == recordKey) // made for an earlier record of the same commit
            {
                var pending = KeyRecords.Read(write.Record)[^1];
                return (pending.Epoch, await tenantKey.UnwrapAsync(pending, recordKey, ct));
            }
        }
        var record = await store.GetAsync(recordKey, ct);
        if (record is { Deleted: false })
        {
            var current = KeyRecords.Read(record)[^1];
            var key = await tenantKey.UnwrapAsync(current, recordKey, ct);
            cache.Put(id.Value, current.Epoch, key);
            return (current.Epoch, key);
        }
        var expected = record?.Version ?? 0;
        var epoch = checked((int)expected + 1); // grows over an erasure too, so no epoch ever means two keys
        var fresh = RandomNumberGenerator.GetBytes(MessageCipher.KeySize);
        var wrappedFresh = await tenantKey.WrapAsync(fresh, recordKey, epoch, ct);
        keyWrites.Add(KeyRecords.Create(recordKey, expected, wrappedFresh, clock));
        return (epoch, fresh);
    }
}
