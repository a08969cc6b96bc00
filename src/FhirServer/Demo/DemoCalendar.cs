using NodaTime;
using NodaTime.Text;

namespace FhirServer.Demo;

/// <summary>One bookable time of a practitioner: instants, and the site's offset that each is written with.</summary>
internal readonly record struct DemoTime(OffsetDateTime Start, OffsetDateTime End)
{
    private static readonly OffsetDateTimePattern Pattern = OffsetDateTimePattern.CreateWithInvariantCulture("uuuu'-'MM'-'dd'T'HH':'mm':'sso<m>");

    public string StartText => Pattern.Format(Start);

    public string EndText => Pattern.Format(End);

    /// <summary>Start in UTC without punctuation, for ids: <c>20261122T0730Z</c>.</summary>
    public string Stamp => Start.ToInstant().ToString("uuuuMMdd'T'HHmm'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Cuts wall-clock working hours into times. Opening hours follow the clock on the wall; a visit lasts its length in real minutes.</summary>
internal static class DemoCalendar
{
    public static IEnumerable<DemoTime> TimesOn(DemoPractitioner practitioner, LocalDate day)
    {
        var zone = practitioner.Site.TimeZone;
        var length = Duration.FromMinutes(practitioner.SlotMinutes);
        foreach (var hours in practitioner.Hours)
        {
            if (!hours.Days.Contains(day.DayOfWeek))
            {
                continue;
            }
            var (opens, closes) = (day + hours.From, (hours.To > hours.From ? day : day.PlusDays(1)) + hours.To);
            var step = Period.FromMinutes(practitioner.SlotMinutes);
            for (var local = opens; local + step <= closes;)
            {
                if (LunchAt(practitioner, local, step) is { } afterLunch)
                {
                    local = afterLunch;
                    continue;
                }
                // A local time that a clock change skips is not offered; one that happens twice is offered the first time.
                var mapping = zone.MapLocal(local);
                if (mapping.Count > 0)
                {
                    var start = mapping.First();
                    yield return new(start.ToOffsetDateTime(), start.Plus(length).ToOffsetDateTime());
                }
                local += step;
            }
        }
    }

    /// <returns>The end of the break that a visit at this time would run into; null where there is none.</returns>
    private static LocalDateTime? LunchAt(DemoPractitioner practitioner, LocalDateTime start, Period length)
    {
        if (practitioner.LunchMinutes == 0)
        {
            return null;
        }
        var end = start + length;
        foreach (var day in (LocalDate[])[start.Date, end.Date])
        {
            var lunch = day + practitioner.Lunch;
            var after = lunch.PlusMinutes(practitioner.LunchMinutes);
            if (start < after && lunch < end)
            {
                return after;
            }
        }
        return null;
    }
}
