using System.Collections.Immutable;
using FhirCore.Records;

namespace FhirStore.Slots;

/// <param name="Next">Where the page ended; null when nothing follows.</param>
internal sealed record FreeSlotPage(ImmutableArray<StoredResource> Matches, RecordCursor? Next)
{
    /// <summary>Takes the days of a range in order until it knows the page and whether more follows.</summary>
    /// <param name="from">Of the range, or of the page before's last slot.</param>
    /// <param name="afterId">Slots that start at <paramref name="from"/> follow only if their ids do; null on the first page.</param>
    internal sealed class Builder(FreeSlotRange range, long from, string? afterId, int count)
    {
        private readonly ImmutableArray<StoredResource>.Builder _matches = ImmutableArray.CreateBuilder<StoredResource>(Math.Min(count, 64));
        private long _lastStart;
        private bool _more;

        /// <summary>Everything is known: the page, and that something follows it.</summary>
        public bool IsFull => _more;

        /// <summary>Slots that are still wanted, the one that tells whether more follows among them.</summary>
        public int Wanted => count + 1 - _matches.Count;

        public void Add(SlotDay day)
        {
            if (_more)
            {
                return;
            }
            foreach (var slot in day.From(from))
            {
                if (slot.Start >= range.To)
                {
                    return;
                }
                if (afterId is not null && slot.Start == from && string.CompareOrdinal(slot.Resource.Key.Id, afterId) <= 0)
                {
                    continue;
                }
                if (_matches.Count == count)
                {
                    _more = true;
                    return;
                }
                _matches.Add(slot.Resource);
                _lastStart = slot.Start;
            }
        }

        public FreeSlotPage Build()
        {
            var next = _more ? new RecordCursor(SlotDays.Value(range.Schedule.Span, _lastStart), _matches[^1].Key.Id) : null;
            return new(_matches.DrainToImmutable(), next);
        }
    }
}
