using FhirCore.Records;

namespace FhirCore.Events;

/// <summary>Where the change log ends.</summary>
public static class ChangeLogEnd
{
    /// <summary>On an engine that many processes share, a commit under way may hold a number that is so much lower than the last.</summary>
    private const int MostUnderWay = 10_000;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <returns>
    /// Sequence of a change that is among the last, 0 where there is none. Commits under way may still get a lower one: for those who must
    /// miss nothing there is <see cref="SettledEndAsync"/>.
    /// </returns>
    public static async ValueTask<long> LastSequenceAsync(this IRecordStore records, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        if ((await records.HistoryAsync(new(null, null, null, null, 1), ct).ConfigureAwait(false)).Next is { } last)
        {
            return last;
        }
        var end = 0L; // one version at most is still there, and a page that is whole names no next
        while (await records.ReadChangesAsync(end, MostUnderWay, ct).ConfigureAwait(false) is { Count: > 0 } rows)
        {
            end = rows[^1].Sequence;
        }
        return end;
    }

    /// <summary>Waits for commits under way whose numbers are lower than the last.</summary>
    /// <returns>Everything acknowledged after this call has returned has a higher sequence.</returns>
    public static async Task<long> SettledEndAsync(this IRecordStore records, TimeProvider clock, CancellationToken ct)
    {
        var end = await records.LastSequenceAsync(ct).ConfigureAwait(false);
        var settled = Math.Max(0, end - MostUnderWay);
        while (settled < end)
        {
            var rows = await records.ReadChangesAsync(settled, MostUnderWay, ct).ConfigureAwait(false);
            if (rows.Count == 0)
            {
                await Task.Delay(LookAgain, clock, ct).ConfigureAwait(false); // a number without a row holds every reader up
                continue;
            }
            settled = rows[^1].Sequence;
        }
        return end;
    }
}
