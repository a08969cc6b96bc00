using FhirCore.Caching;
using FhirCore.Records;
using FhirStore.Caching;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Writing;

namespace FhirStore.Slots;

/// <summary>
/// Days of free slots, from the nearest place that has them: this process, the shared cache, the records store. A day counts only
/// while its stamp is the schedule's stamp of now.
/// </summary>
internal sealed class SlotDays(IRecordStore records, RecordCipher cipher, DataProtector protector, ICache cache, FreeSlotsOptions options)
{
    /// <summary>Most slots that one look into the store reads: a schedule with more in a few days is not for keeping.</summary>
    private const int MostSlots = 10_000;

    private const int TokenLength = 16;
    private static readonly byte Free = OperationalFields.SlotStatusByte("free");

    private readonly BoundedMap<SlotDayKey, SlotDay> _near = new(options.MostBytes);
    private readonly SlotDayFormat _format = new(protector);

    public ValueTask<long> StampAsync(ReadOnlyMemory<byte> schedule, CancellationToken ct) => records.StampAsync(SlotStamps.NameOf(schedule.Span), ct);

    /// <returns>Null where this process does not have it at this stamp.</returns>
    public SlotDay? Find(ReadOnlyMemory<byte> schedule, int day, long stamp) =>
        _near.Find(SlotDayKey.Of(schedule.Span, day)) is { } kept && kept.Stamp == stamp ? kept : null;

    /// <summary>Fills the days that are not at hand, and keeps them at the stamp, which was read before this call.</summary>
    /// <param name="days">From <paramref name="first"/> on; null where the day is missing.</param>
    /// <returns>False where there are too many slots.</returns>
    public async ValueTask<bool> FillAsync(ReadOnlyMemory<byte> schedule, int first, SlotDay?[] days, long stamp, CancellationToken ct)
    {
        if (cache.IsShared)
        {
            await FillFromCacheAsync(schedule, first, days, stamp, ct);
        }
        var from = Array.FindIndex(days, day => day is null);
        if (from < 0)
        {
            return true;
        }
        var to = Array.FindLastIndex(days, day => day is null) + 1;
        return await FillFromStoreAsync(schedule, first, days, from, to, stamp, ct);
    }

    private async ValueTask FillFromCacheAsync(ReadOnlyMemory<byte> schedule, int first, SlotDay?[] days, long stamp, CancellationToken ct)
    {
        var keys = new List<SlotDayKey>();
        for (var i = 0; i < days.Length; i++)
        {
            if (days[i] is null)
            {
                keys.Add(SlotDayKey.Of(schedule.Span, first + i));
            }
        }
        var values = await cache.GetManyAsync(keys.ConvertAll(key => key.CacheKey), ct);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is { } value && _format.Read(keys[i], value, stamp) is { } day)
            {
                days[keys[i].Day - first] = day;
                _near.Put(keys[i], day, day.Bytes);
            }
        }
    }

    private async ValueTask<bool> FillFromStoreAsync(ReadOnlyMemory<byte> schedule, int first, SlotDay?[] days, int from, int to, long stamp, CancellationToken ct)
    {
        var page = await QueryAsync(schedule, StartOf(first + from), StartOf(first + to), MostSlots, ct);
        if (page.Next is not null)
        {
            return false;
        }
        var (at, slots) = (from, new List<FreeSlot>());
        foreach (var record in page.Records)
        {
            var slot = await OpenAsync(record, ct);
            for (var day = DateInterval.DayOf(slot.Start) - first; at < day; at++)
            {
                Keep();
            }
            slots.Add(slot);
        }
        for (; at < to; at++)
        {
            Keep();
        }
        return true;

        void Keep()
        {
            var key = SlotDayKey.Of(schedule.Span, first + at);
            var day = new SlotDay(stamp, [.. slots]);
            slots.Clear();
            if (days[at] is not null)
            {
                return; // it was at hand and lay between two that were not
            }
            days[at] = day;
            _near.Put(key, day, day.Bytes);
            if (cache.IsShared)
            {
                // Nobody waits for it: the cache does not fail, and the next who finds nothing there reads the store.
                _ = cache.SetAsync(key.CacheKey, _format.Write(key, day), options.Lifetime, CancellationToken.None).AsTask();
            }
        }
    }

    /// <summary>Slots beyond the days that are kept, which nobody keeps.</summary>
    public async ValueTask<SlotDay> ReadRestAsync(ReadOnlyMemory<byte> schedule, long from, long to, int most, long stamp, CancellationToken ct)
    {
        var page = await QueryAsync(schedule, from, to, most, ct);
        var slots = new FreeSlot[page.Records.Count];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = await OpenAsync(page.Records[i], ct);
        }
        return new(stamp, slots);
    }

    private ValueTask<RecordPage> QueryAsync(ReadOnlyMemory<byte> schedule, long from, long to, int most, CancellationToken ct)
    {
        var where = new Predicate.Between(OperationalFields.SlotScheduleStatusStart, Value(schedule.Span, from), Value(schedule.Span, to));
        return records.QueryAsync(new("Slot", where, new(OperationalFields.SlotScheduleStatusStart, false), null, most), ct);
    }

    public static long StartOf(int day) => day * DateInterval.MicrosPerDay;

    private async ValueTask<FreeSlot> OpenAsync(StoredRecord record, CancellationToken ct) => new(
        StartIn(record.Index.First(OperationalFields.SlotScheduleStatusStart).Span),
        new(record.Key, record.Version, record.LastUpdated, false, await cipher.OpenAsync(record, ct)));

    /// <summary>The entry of <see cref="OperationalFields.SlotScheduleStatusStart"/> for a free slot.</summary>
    public static byte[] Value(ReadOnlySpan<byte> schedule, long start) => OperationalFields.ScheduleStatusStart(schedule, Free, start);

    /// <returns>Null where it is no entry of a free slot of this schedule.</returns>
    public static long? StartIn(ReadOnlySpan<byte> value, ReadOnlySpan<byte> schedule) =>
        value.Length == TokenLength + 1 + SortableTime.Length && value[..TokenLength].SequenceEqual(schedule[..TokenLength]) && value[TokenLength] == Free ? StartIn(value) : null;

    private static long StartIn(ReadOnlySpan<byte> value) => System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(value[(TokenLength + 1)..]);
}
