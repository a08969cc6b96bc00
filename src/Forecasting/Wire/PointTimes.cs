using System.Globalization;
using Forecasting.Serving;
using NodaTime;

namespace Forecasting.Wire;

/// <summary>When a point begins and ends, as FHIR writes it.</summary>
internal static class PointTimes
{
    /// <returns>A date for days and weeks, a time with the zone's offset for hours. Of an hour that a clock change skips, the moment of the change.</returns>
    public static string Start(ForecastPoint point, DateTimeZone zone) => point.Hour is { } hour ? Time(point.Day, hour, zone) : JsonAnswer.Date(point.Day);

    /// <returns>The last day, included, as FHIR's periods end; of an hour the hour after it.</returns>
    public static string End(ForecastPoint point, DateTimeZone zone) => point.Hour is { } hour ? Time(point.Day, hour + 1, zone) : JsonAnswer.Date(point.Day.AddDays(point.Days - 1));

    private static string Time(DateOnly day, int hour, DateTimeZone zone)
    {
        var local = LocalDate.FromDateOnly(day).AtMidnight().PlusHours(hour);
        return zone.AtLeniently(local).ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
    }
}
