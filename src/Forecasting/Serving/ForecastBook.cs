using System.Buffers.Binary;
using System.Security.Cryptography;
using FhirStore.Sealed;
using Forecasting.Daily;
using Forecasting.Series;
using NodaTime.Extensions;

namespace Forecasting.Serving;

/// <summary>
/// Forecasts by subject and measure. One that was made before is given again as long as it would be made from the same: the series is
/// read each time, which costs little, and computed only when it has changed, which is once a day.
/// </summary>
internal sealed class ForecastBook(LoadReader reader, SlotBook slots, SealedRecords<StoredForecast> stored, Func<string, string> idOf, ForecastThread thread, TimeProvider clock)
{
    public const string RecordType = "_Forecast";

    /// <summary>Another number computes everything anew: to be raised when methods change.</summary>
    private const int Edition = 1;

    private const int HistoryDays = 5 * 366;

    /// <summary>How far ahead slots are looked at for days on which nobody works.</summary>
    private const int SlotDays = 92;

    /// <summary>After so long a silence a visit before it is a typing error, not the beginning.</summary>
    private const int LongestSilence = 56;

    public async ValueTask<SubjectForecast> GetAsync(LoadSubject subject, LoadMeasure measure, CancellationToken ct)
    {
        var today = clock.GetUtcNow().ToInstant().InZone(subject.Zone).Date.ToDateOnly();
        var counts = await reader.ReadAsync(subject.Filter, today.AddDays(-HistoryDays), today.AddDays(DailyForecaster.LongestHorizon), ct);
        return await GetAsync(subject, measure, counts, await CalendarAsync(subject, today, ct), today, ct);
    }

    /// <summary>Of visits that were read already.</summary>
    public async ValueTask<SubjectForecast> GetAsync(LoadSubject subject, LoadMeasure measure, LoadCounts counts, ServiceCalendar calendar, DateOnly today, CancellationToken ct)
    {
        var start = counts.Start(today, LongestSilence);
        var series = new DailySeries(start, counts.Days(measure, start, today));
        var fingerprint = Fingerprint(series, calendar);
        var id = idOf($"{subject.Name}\n{measure}");
        var known = await stored.FindAsync(id, ct);
        if (known is null || known.Value.Fingerprint != fingerprint)
        {
            var forecast = await thread.RunAsync(
                () => DailyForecaster.Forecast(series, LearnedCalendar.Of(series, calendar, DailyForecaster.LongestHorizon), DailyForecaster.LongestHorizon), ct);
            var made = StoredForecast.Of(forecast, fingerprint, clock.GetUtcNow());
            await stored.TryWriteAsync(id, made, known?.Version ?? 0, null, ct); // where another was first, it has made the same
            known = new(id, 0, made);
        }
        return new(subject, measure, known.Value.ToForecast(), counts, today, series.Values.Length) { Made = known.Value.Made };
    }

    public async ValueTask<ServiceCalendar> CalendarAsync(LoadSubject subject, DateOnly today, CancellationToken ct)
    {
        var end = today.AddDays(DailyForecaster.LongestHorizon);
        var closed = new HashSet<DateOnly>();
        foreach (var (from, to) in subject.Opening.Absences)
        {
            for (var day = from > today.AddDays(-HistoryDays) ? from : today.AddDays(-HistoryDays); day <= to && day < end; day = day.AddDays(1))
            {
                closed.Add(day);
            }
        }
        for (var day = subject.Opening.Last is { } last && last >= today ? last.AddDays(1) : today; subject.Opening.Last is not null && day < end; day = day.AddDays(1))
        {
            closed.Add(day);
        }
        if (await slots.DaysAsync(subject.Schedules, subject.Zone, today, today.AddDays(SlotDays), ct) is { } published)
        {
            for (var day = today.AddDays(1); day <= published.Last; day = day.AddDays(1)) // today's may be over
            {
                if (!published.Days.Contains(day))
                {
                    closed.Add(day);
                }
            }
        }
        var open = subject.Opening.Weekdays;
        return new() { ClosedDays = closed, ClosedWeekdays = open is null ? new HashSet<DayOfWeek>() : Enum.GetValues<DayOfWeek>().Where(day => !open.Contains(day)).ToHashSet() };
    }

    private static string Fingerprint(DailySeries series, ServiceCalendar calendar)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(double)];
        void Add(double value, Span<byte> number)
        {
            BinaryPrimitives.WriteDoubleBigEndian(number, value);
            hash.AppendData(number);
        }
        Add(Edition, number);
        Add(series.Start.DayNumber, number);
        foreach (var value in series.Values.Span)
        {
            Add(value, number);
        }
        foreach (var weekday in calendar.ClosedWeekdays.Order())
        {
            Add((int)weekday, number);
        }
        foreach (var day in calendar.ClosedDays.Order())
        {
            Add(day.DayNumber, number);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
