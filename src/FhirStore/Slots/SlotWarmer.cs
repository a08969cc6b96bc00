using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Indexing;

namespace FhirStore.Slots;

/// <summary>
/// Follows the change log and reads the days of schedules in use again after they have changed, so that the next reader, in any
/// process, finds them. Bounded, and never needed: whoever comes first reads the store.
/// </summary>
public sealed class SlotWarmer(IRecordStore records, FreeSlots slots, OperationalFields fields)
{
    /// <summary>Rows looked at in one round; what is beyond waits for the next.</summary>
    private const int MostRows = 500;

    /// <summary>Schedules read again in one round; others are left to their readers.</summary>
    private const int MostSchedules = 50;

    private long? _read;

    /// <returns>How many schedules were made ready.</returns>
    /// <exception cref="StoreUnavailableException">The store is away; the next call goes on from the same place.</exception>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        if (slots.Use is not { } use)
        {
            return 0;
        }
        use.ForgetOld();
        if (!use.IsAny)
        {
            _read = null; // nobody asks: what changes meanwhile needs no looking at
            return 0;
        }
        if (_read is not { } after)
        {
            _read = await records.LastSequenceAsync(ct);
            return 0;
        }
        var rows = await records.ReadChangesAsync(after, MostRows, ct);
        if (rows.Count == 0)
        {
            return 0;
        }
        var done = 0;
        foreach (var schedule in rows.Where(row => row.Key.Type == "Slot").Select(row => row.Partition).Distinct(StringComparer.Ordinal).Take(MostSchedules))
        {
            var token = fields.ReferenceToken($"Schedule/{schedule}");
            if (use.DaysOf(token) is { } days)
            {
                await slots.WarmAsync(token, days.First, days.Last, ct);
                done++;
            }
        }
        _read = rows[^1].Sequence;
        return done;
    }
}
