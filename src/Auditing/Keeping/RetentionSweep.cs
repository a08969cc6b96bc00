using Auditing.Blocks;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Auditing.Keeping;

/// <summary>
/// Removes events whose time is over, from the beginning of each chain. Where a chain then begins is written in the same commit, so that
/// what is left still verifies. Right also when two processes do it at once.
/// </summary>
public sealed class RetentionSweep(IRecordStore records, RecordCipher cipher, AuditOptions options, TimeProvider clock)
{
    private const int Batch = 200;

    private readonly SealedBodies _bodies = new(records, cipher, clock);

    /// <returns>How many blocks were removed.</returns>
    public async Task<long> SweepAsync(CancellationToken ct)
    {
        var before = clock.GetUtcNow().AddYears(-options.RetentionYears) - AuditBlock.LongestSpan;
        var removed = 0L;
        while (true)
        {
            // By id is by time: the oldest first, of whatever chain.
            var page = await records.QueryAsync(new(AuditBlock.RecordType, Predicate.Everything, RecordOrder.ById, null, Batch), ct);
            var old = page.Records.TakeWhile(record => BlockId.TryParse(record.Key.Id, out var id) && id.Time < before).ToArray();
            foreach (var chain in old.GroupBy(record => BlockId.TryParse(record.Key.Id, out var id) ? id.Chain : ""))
            {
                if (!await RemoveAsync(chain.Key, [.. chain], ct))
                {
                    return removed; // another process is at it
                }
                removed += chain.Count();
            }
            if (old.Length < Batch)
            {
                return removed;
            }
        }
    }

    private async Task<bool> RemoveAsync(string chain, StoredRecord[] old, CancellationToken ct)
    {
        var key = new ResourceKey(ChainStart.RecordType, chain);
        var known = await _bodies.FindAsync(key, ct);
        var last = AuditBlock.Read(await _bodies.OpenAsync(old[^1], ct));
        var start = new ChainStart(chain, last.Number + 1, last.After, last.First + last.Count);
        var keyWrites = new List<RecordWrite>();
        var write = await _bodies.SealAsync(key, known?.Record.Version ?? 0, IndexEntries.None, start.Write(), keyWrites, ct);
        var conditions = old.Select(record => (RecordCondition)new RecordCondition.VersionIs(record.Key, record.Version));
        return await records.CommitAsync(new([write, .. keyWrites], [.. conditions], [.. old.Select(record => record.Key)]), ct) is CommitResult.Done;
    }
}
