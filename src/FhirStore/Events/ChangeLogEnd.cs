using FhirCore.Records;

namespace FhirStore.Events;

/// <summary>Where the change log ends.</summary>
public static class ChangeLogEnd
{
    /// <returns>Sequence of a change that is among the last; everything acknowledged after this call has a higher one. 0 where there is none.</returns>
    public static async ValueTask<long> LastSequenceAsync(this IRecordStore records, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        return (await records.HistoryAsync(new(null, null, null, null, 1), ct)).Next is { } last
            ? last
            : await records.ReadChangesAsync(0, 1, ct) is [var only] ? only.Sequence : 0; // of one version the page is whole and names no next
    }
}
