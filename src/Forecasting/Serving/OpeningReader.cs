using System.Globalization;
using System.Text.Json;
using Forecasting.Series;
using NodaTime;
using NodaTime.Extensions;

namespace Forecasting.Serving;

/// <summary>
/// Reads opening from PractitionerRole and HealthcareService (<c>availableTime</c>, <c>notAvailable</c>) and Schedule (<c>active</c>,
/// <c>planningHorizon</c>). Several are open when any of them is.
/// </summary>
internal static class OpeningReader
{
    public static Opening Read(IReadOnlyCollection<Entry> keepers, IReadOnlyCollection<Entry> schedules, DateTimeZone zone, DateOnly today) => new()
    {
        Weekdays = WeekdaysOf(keepers),
        Absences = keepers.Count == 1 ? [.. AbsencesOf(keepers.First().Root, zone)] : [], // of several, another may stand in
        Last = LastDay(schedules, zone, today),
    };

    private static HashSet<DayOfWeek>? WeekdaysOf(IReadOnlyCollection<Entry> keepers)
    {
        var open = new HashSet<DayOfWeek>();
        foreach (var keeper in keepers)
        {
            var times = keeper.Root.Items("availableTime").ToList();
            if (times.Count == 0)
            {
                return null; // this one may work on any day
            }
            foreach (var time in times)
            {
                var days = time.Items("daysOfWeek").Select(day => DayOf(day.GetString())).OfType<DayOfWeek>().ToList();
                open.UnionWith(days.Count > 0 ? days : Enum.GetValues<DayOfWeek>());
            }
        }
        return open.Count > 0 ? open : null;
    }

    private static DayOfWeek? DayOf(string? code) => code switch
    {
        "mon" => DayOfWeek.Monday,
        "tue" => DayOfWeek.Tuesday,
        "wed" => DayOfWeek.Wednesday,
        "thu" => DayOfWeek.Thursday,
        "fri" => DayOfWeek.Friday,
        "sat" => DayOfWeek.Saturday,
        "sun" => DayOfWeek.Sunday,
        _ => null,
    };

    /// <summary>Only whole days: somebody who is away for an hour still works on that day.</summary>
    private static IEnumerable<(DateOnly From, DateOnly To)> AbsencesOf(JsonElement keeper, DateTimeZone zone)
    {
        foreach (var absence in keeper.Items("notAvailable"))
        {
            if (absence.Of("during") is { } during && DayOf(during, "start", zone, isEnd: false) is { } from && DayOf(during, "end", zone, isEnd: true) is { } to && to >= from)
            {
                yield return (from, to);
            }
        }
    }

    /// <summary>A date is that day; a time is the first whole day from it on, or the last whole day before it.</summary>
    private static DateOnly? DayOf(JsonElement period, string name, DateTimeZone zone, bool isEnd)
    {
        if (period.Text(name) is { Length: 10 } text && DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return day;
        }
        if (period.Instant(name) is not { } instant)
        {
            return null;
        }
        var local = instant.ToInstant().InZone(zone);
        return isEnd
            ? (local.TimeOfDay >= new LocalTime(23, 59) ? local.Date : local.Date.PlusDays(-1)).ToDateOnly()
            : (local.TimeOfDay == LocalTime.Midnight ? local.Date : local.Date.PlusDays(1)).ToDateOnly();
    }

    /// <returns>Yesterday where all schedules are ended or inactive; null where one of them goes on, or there is none.</returns>
    private static DateOnly? LastDay(IReadOnlyCollection<Entry> schedules, DateTimeZone zone, DateOnly today)
    {
        var last = today.AddDays(-1);
        foreach (var schedule in schedules)
        {
            if (schedule.Root.Of("active") is { ValueKind: JsonValueKind.False })
            {
                continue;
            }
            if (schedule.Root.Of("planningHorizon") is not { } horizon || horizon.Text("end") is null || DayOf(horizon, "end", zone, isEnd: true) is not { } end)
            {
                return null;
            }
            last = end > last ? end : last;
        }
        return schedules.Count == 0 ? null : last;
    }
}
