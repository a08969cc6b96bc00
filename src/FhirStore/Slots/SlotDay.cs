using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FhirStore.Slots;

/// <param name="Start">Microseconds since 0001-01-01 UTC.</param>
internal readonly record struct FreeSlot(long Start, StoredResource Resource);

/// <summary>The free slots of one schedule that start on one day (UTC), by start, then id; and the stamp that was read before they were.</summary>
internal sealed class SlotDay(long stamp, FreeSlot[] slots)
{
    public long Stamp => stamp;

    public ReadOnlySpan<FreeSlot> Slots => slots;

    /// <summary>In memory, roughly.</summary>
    public long Bytes
    {
        get
        {
            var bytes = 64L;
            foreach (var slot in slots)
            {
                bytes += slot.Resource.Json.Length + 240;
            }
            return bytes;
        }
    }

    /// <summary>Slots that start at the time or later.</summary>
    public ReadOnlySpan<FreeSlot> From(long start)
    {
        var (low, high) = (0, slots.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = slots[middle].Start < start ? (middle + 1, high) : (low, middle);
        }
        return slots.AsSpan(low);
    }
}

/// <summary>A schedule and a day since 0001-01-01.</summary>
internal readonly record struct SlotDayKey(ulong A, ulong B, int Day)
{
    public static SlotDayKey Of(ReadOnlySpan<byte> schedule, int day) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(schedule), BinaryPrimitives.ReadUInt64BigEndian(schedule[8..]), day);

    /// <summary>The token is evenly spread already.</summary>
    public override int GetHashCode() => (int)A ^ (Day * 0x61C88647);

    /// <summary>In the shared cache. The schedule stands there as a keyed token.</summary>
    public string CacheKey => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"free/{A:x16}{B:x16}/{Day}");
}
