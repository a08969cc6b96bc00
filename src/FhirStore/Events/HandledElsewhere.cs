using FhirCore.Events;
using FhirCore.Records;

namespace FhirStore.Events;

/// <summary>What a group has handled while it followed another log, lane by lane: coming back to this one, it is not told it again.</summary>
internal sealed class HandledElsewhere
{
    private readonly Dictionary<EventLane, long> _sequences = [];
    private readonly int[] _counts;
    private readonly long _last;

    private HandledElsewhere(IEnumerable<(string Lane, EventProgress Progress)> lanes)
    {
        foreach (var (name, progress) in lanes)
        {
            if (EventLane.TryParse(name, out var lane))
            {
                _sequences[lane] = progress.Sequence;
                _last = Math.Max(_last, progress.Sequence);
            }
        }
        _counts = [.. _sequences.Keys.Select(lane => lane.Of).Distinct()];
    }

    public static async Task<HandledElsewhere> ReadAsync(IRecordStore records, string group, CancellationToken ct) =>
        new(await EventProgress.ReadLanesAsync(records, group, ct));

    public bool Has(ChangeRow change)
    {
        if (change.Sequence > _last)
        {
            return false;
        }
        foreach (var count in _counts)
        {
            if (_sequences.TryGetValue(EventLane.For(change.Key.Type, change.Partition, count), out var handled) && change.Sequence <= handled)
            {
                return true;
            }
        }
        return false;
    }
}
