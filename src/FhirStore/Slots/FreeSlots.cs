using System.Collections.Immutable;
using FhirCore.Caching;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Indexing;

namespace FhirStore.Slots;

/// <summary>
/// The free slots of the coming weeks, without asking the store for them each time. What it gives is what the store would give:
/// a kept day counts only if the schedule's stamp, read in the same request, is the one that was read before the day was. So
/// neither a flush of the cache nor another process's booking can change an answer.
/// </summary>
public sealed class FreeSlots
{
    /// <summary>Readers may look back a little: an appointment that has begun covers later times.</summary>
    private const int DaysBack = 7;

    /// <summary>Bookings that come while days are read make them unfit to be shown together; after so many the store is asked in one go.</summary>
    private const int Attempts = 2;

    /// <summary>A page rarely needs more than a day or two; where it does, the store is not asked day by day.</summary>
    private const int SpanGrowth = 4;

    private readonly SlotDays _days;
    private readonly SlotUse? _use;
    private readonly int _weeks;
    private readonly TimeProvider _clock;

    public FreeSlots(IRecordStore records, RecordCipher cipher, DataProtector protector, ICache cache, FreeSlotsOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentNullException.ThrowIfNull(options);
        _days = new(records, cipher, protector, cache, options);
        _use = cache.IsShared ? new(clock) : null;
        _weeks = options.Weeks;
        _clock = clock;
    }

    /// <summary>Who is asked for, so that it can be made ready before the next asks; null where nothing is made ready.</summary>
    internal SlotUse? Use => _use;

    /// <summary>Free slots of a schedule that start in the range, by start, then id.</summary>
    /// <param name="schedule">Token of the schedule's reference.</param>
    /// <param name="from">Included.</param>
    /// <param name="to">Excluded.</param>
    /// <param name="most">Further ones are left out.</param>
    /// <returns>Null where the store must be asked: the range is not within the weeks that are kept.</returns>
    public async ValueTask<IReadOnlyList<StoredResource>?> ListAsync(ReadOnlyMemory<byte> schedule, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken ct)
    {
        var range = new FreeSlotRange(schedule, from.UtcTicks / TimeSpan.TicksPerMicrosecond, to.UtcTicks / TimeSpan.TicksPerMicrosecond);
        return await PageAsync(range, null, most, isWhole: true, ct) is { } page ? page.Matches : null;
    }

    /// <summary>One page of the range, as a query of the store in the order of start gives it.</summary>
    /// <param name="after">Where the page before ended, whoever answered it.</param>
    /// <returns>Null where the store must be asked.</returns>
    internal ValueTask<FreeSlotPage?> PageAsync(FreeSlotRange range, RecordCursor? after, int count, CancellationToken ct) => PageAsync(range, after, count, isWhole: false, ct);

    /// <summary>Reads the days that are not at hand: for a schedule that has changed, before somebody asks.</summary>
    internal async ValueTask WarmAsync(ReadOnlyMemory<byte> schedule, int firstDay, int lastDay, CancellationToken ct)
    {
        var stamp = await _days.StampAsync(schedule, ct);
        await ReadAsync(schedule, firstDay, lastDay, stamp, ct);
    }

    private async ValueTask<FreeSlotPage?> PageAsync(FreeSlotRange range, RecordCursor? after, int count, bool isWhole, CancellationToken ct)
    {
        var from = range.From;
        if (after is not null)
        {
            if (SlotDays.StartIn(after.Value.Span, range.Schedule.Span) is not { } start || start < range.From)
            {
                return null;
            }
            from = start;
        }
        var (opens, closes) = Window();
        if (from < opens || from >= closes || range.To <= from || (isWhole && range.To > closes))
        {
            return null;
        }
        var firstDay = DateInterval.DayOf(from);
        var lastDay = DateInterval.DayOf(Math.Min(range.To, closes) - 1);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var stamp = await _days.StampAsync(range.Schedule, ct);
            var page = new FreeSlotPage.Builder(range, from, after?.Id, count);
            var (day, span, read) = (firstDay, isWhole ? lastDay - firstDay + 1 : 1, false);
            while (!page.IsFull && day <= lastDay)
            {
                if (_days.Find(range.Schedule, day, stamp) is { } near)
                {
                    page.Add(near);
                    day++;
                    continue;
                }
                var until = Math.Min(lastDay, day + span - 1);
                if (await ReadAsync(range.Schedule, day, until, stamp, ct) is not { } days)
                {
                    return null;
                }
                foreach (var far in days)
                {
                    page.Add(far!);
                }
                (day, span, read) = (until + 1, span * SpanGrowth, true);
            }
            if (!page.IsFull && range.To > closes)
            {
                page.Add(await _days.ReadRestAsync(range.Schedule, closes, range.To, page.Wanted, stamp, ct));
                read = true;
            }
            if (!read || await _days.StampAsync(range.Schedule, ct) == stamp)
            {
                _use?.Asked(range.Schedule, firstDay, Math.Min(day - 1, lastDay));
                return page.Build();
            }
        }
        return null;
    }

    private async ValueTask<SlotDay?[]?> ReadAsync(ReadOnlyMemory<byte> schedule, int firstDay, int lastDay, long stamp, CancellationToken ct)
    {
        var days = new SlotDay?[lastDay - firstDay + 1];
        for (var i = 0; i < days.Length; i++)
        {
            days[i] = _days.Find(schedule, firstDay + i, stamp);
        }
        return await _days.FillAsync(schedule, firstDay, days, stamp, ct) ? days : null;
    }

    private (long Opens, long Closes) Window()
    {
        var today = DateInterval.DayOf(_clock.GetUtcNow().UtcTicks / TimeSpan.TicksPerMicrosecond);
        return _weeks == 0 ? (0, 0) : (SlotDays.StartOf(today - DaysBack), SlotDays.StartOf(today + (7 * _weeks) + 1));
    }
}
