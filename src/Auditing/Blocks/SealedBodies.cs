using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Auditing.Blocks;

/// <summary>Records of the trail: sealed under the tenant's key, because an event must outlive the data that it tells of.</summary>
internal sealed class SealedBodies(IRecordStore records, RecordCipher cipher, TimeProvider clock)
{
    public async ValueTask<(StoredRecord Record, ReadOnlyMemory<byte> Body)?> FindAsync(ResourceKey key, CancellationToken ct)
    {
        var record = await records.GetAsync(key, ct);
        return record is null or { Deleted: true } ? null : (record, await cipher.OpenAsync(record, ct));
    }

    public ValueTask<ReadOnlyMemory<byte>> OpenAsync(StoredRecord record, CancellationToken ct) => cipher.OpenAsync(record, ct);

    /// <param name="expected">Version that the record has now; 0 for a new one.</param>
    /// <param name="keyWrites">Go into the same commit.</param>
    public async ValueTask<RecordWrite> SealAsync(
        ResourceKey key, long expected, IndexEntries index, ReadOnlyMemory<byte> plain, ICollection<RecordWrite> keyWrites, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        now = new(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
        var record = new StoredRecord
        {
            Key = key,
            Version = expected + 1,
            LastUpdated = now,
            Partition = key.Id,
            Body = await cipher.SealAsync(key, expected + 1, now, null, index, plain, keyWrites, ct),
            Index = index,
        };
        return new(record, expected, Journal: false, "audit");
    }
}
