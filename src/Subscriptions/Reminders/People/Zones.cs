using NodaTime;

namespace Subscriptions.Reminders.People;

internal static class Zones
{
    /// <returns>The first that is a zone of the IANA database.</returns>
    public static DateTimeZone Of(params ReadOnlySpan<string?> names)
    {
        foreach (var name in names)
        {
            if (name is not null && DateTimeZoneProviders.Tzdb.GetZoneOrNull(name) is { } zone)
            {
                return zone;
            }
        }
        return DateTimeZone.Utc;
    }
}
