using FhirCore;
using FhirCore.Records;
using FhirStore.Indexing;
using NodaTime;
using NodaTime.Extensions;

namespace Forecasting.Serving;

/// <summary>What slots say of days to come, by their index entries alone: no slot is opened.</summary>
internal sealed class SlotBook(IRecordStore records, OperationalFields fields)
{
    private const int PageSize = 1_000;
    private const int TokenLength = 16;

    /// <summary>Of more schedules than this somebody works on every day that is not told otherwise.</summary>
    private const int MostSchedules = 4;

    /// <summary>Free, busy and held slots; those that are unavailable or entered in error are no time to come in.</summary>
    private static readonly byte[] Open = [OperationalFields.SlotStatusByte("free"), OperationalFields.SlotStatusByte("busy"), OperationalFields.SlotStatusByte("busy-tentative")];

    /// <summary>Days with slots, up to the last that is known of all schedules.</summary>
    /// <param name="from">Included.</param>
    /// <param name="to">Excluded.</param>
    /// <returns>Null where slots tell nothing: one of the schedules has none ahead, or there are too many of them.</returns>
    public async ValueTask<PublishedDays?> DaysAsync(IReadOnlyList<ResourceKey> schedules, DateTimeZone zone, DateOnly from, DateOnly to, CancellationToken ct)
    {
        if (schedules.Count is 0 or > MostSchedules)
        {
            return null;
        }
        var (days, last) = (new HashSet<DateOnly>(), to);
        foreach (var schedule in schedules)
        {
            var own = new HashSet<DateOnly>();
            foreach (var status in Open)
            {
                await AddDaysAsync(own, schedule, status, zone, from, to, ct);
            }
            if (own.Count == 0)
            {
                return null;
            }
            days.UnionWith(own);
            last = own.Max() is var end && end < last ? end : last;
        }
        return new(days, last);
    }

    /// <summary>Slots that start within the range.</summary>
    public async ValueTask<SlotCount> CountAsync(ResourceKey schedule, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var (free, all) = (0L, 0L);
        foreach (var status in Open)
        {
            var count = await records.CountAsync("Slot", Between(schedule, status, from, to), long.MaxValue, ct);
            (free, all) = (status == Open[0] ? count : free, all + count);
        }
        return new((int)all, (int)free);
    }

    /// <summary>The day of the last slot of any of the schedules; null where none has one.</summary>
    public async ValueTask<DateOnly?> LastDayAsync(IReadOnlyList<ResourceKey> schedules, DateTimeZone zone, CancellationToken ct)
    {
        DateOnly? last = null;
        foreach (var schedule in schedules)
        {
            var token = fields.ReferenceToken(schedule.ToString());
            byte[] from = [.. token, .. new byte[SortableTime.Length]], to = [.. token, .. SortableTime.Encode(DateTimeOffset.MaxValue)];
            var page = await records.QueryAsync(new("Slot", new Predicate.Between(OperationalFields.SlotScheduleStart, from, to), new(OperationalFields.SlotScheduleStart, true), null, 1), ct);
            if (page.Records is [var slot])
            {
                var day = DayOf(slot.Index.First(OperationalFields.SlotScheduleStart).Span[TokenLength..], zone);
                last = last is { } known && known > day ? known : day;
            }
        }
        return last;
    }

    private async ValueTask AddDaysAsync(HashSet<DateOnly> days, ResourceKey schedule, byte status, DateTimeZone zone, DateOnly from, DateOnly to, CancellationToken ct)
    {
        var where = Between(schedule, status, Midnight(from, zone), Midnight(to, zone));
        RecordCursor? after = null;
        do
        {
            var page = await records.QueryAsync(new("Slot", where, new(OperationalFields.SlotScheduleStatusStart, false), after, PageSize), ct);
            foreach (var record in page.Records)
            {
                days.Add(DayOf(record.Index.First(OperationalFields.SlotScheduleStatusStart).Span[(TokenLength + 1)..], zone));
            }
            after = page.Next;
        }
        while (after is not null);
    }

    private static DateOnly DayOf(ReadOnlySpan<byte> start, DateTimeZone zone) => SortableTime.Decode(start).ToInstant().InZone(zone).Date.ToDateOnly();

    private Predicate.Between Between(ResourceKey schedule, byte status, DateTimeOffset from, DateTimeOffset to)
    {
        var token = fields.ReferenceToken(schedule.ToString());
        return new(OperationalFields.SlotScheduleStatusStart,
            OperationalFields.ScheduleStatusStart(token, status, from.UtcTicks / TimeSpan.TicksPerMicrosecond),
            OperationalFields.ScheduleStatusStart(token, status, to.UtcTicks / TimeSpan.TicksPerMicrosecond));
    }

    public static DateTimeOffset Midnight(DateOnly day, DateTimeZone zone) => zone.AtStartOfDay(LocalDate.FromDateOnly(day)).ToDateTimeOffset();
}

/// <param name="Days">With at least one slot.</param>
/// <param name="Last">Until here every schedule has said when it works; later days are not published yet.</param>
internal sealed record PublishedDays(IReadOnlySet<DateOnly> Days, DateOnly Last);

/// <param name="All">Free, held and taken.</param>
internal readonly record struct SlotCount(int All, int Free)
{
    public static SlotCount operator +(SlotCount one, SlotCount other) => new(one.All + other.All, one.Free + other.Free);
}
