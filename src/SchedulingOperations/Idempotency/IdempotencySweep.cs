using FhirCore.Records;

namespace SchedulingOperations.Idempotency;

/// <summary>Forgets answers whose time is over. An answer past its time is not given even before the sweep has seen it.</summary>
public sealed class IdempotencySweep(IRecordStore records, TimeProvider clock)
{
    private const int BatchSize = 500;

    /// <returns>How many answers were forgotten.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var forgotten = 0;
        while (true)
        {
            var expired = new Predicate.Between(IdempotencyLedger.Expires, new byte[SortableTime.Length], SortableTime.Encode(clock.GetUtcNow().AddMicroseconds(1)));
            var page = await records.QueryAsync(new(IdempotencyLedger.RecordType, expired, RecordOrder.ById, null, BatchSize), ct);
            if (page.Records.Count == 0)
            {
                return forgotten;
            }
            foreach (var record in page.Records)
            {
                // The version is checked: the key may have been used again meanwhile.
                var commit = new Commit([], [new RecordCondition.VersionIs(record.Key, record.Version)], [record.Key]);
                if (await records.CommitAsync(commit, ct) is CommitResult.Done)
                {
                    forgotten++;
                }
            }
            if (page.Next is null)
            {
                return forgotten;
            }
        }
    }
}
