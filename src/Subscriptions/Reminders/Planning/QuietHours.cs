using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;

namespace Subscriptions.Reminders.Planning;

/// <summary>
/// The time of day when nobody is to be disturbed, by the clock on the person's wall: from <paramref name="From"/> on, until before
/// <paramref name="To"/>, over midnight where that is earlier.
/// </summary>
public readonly record struct QuietHours(LocalTime From, LocalTime To)
{
    /// <summary>Longer ones leave no time to send anything in.</summary>
    public static readonly Duration Longest = Duration.FromHours(20);

    /// <summary>So long before quiet hours goes out what would have been due in them: time enough to be sent, and read, before they begin.</summary>
    public static readonly Duration Ahead = Duration.FromMinutes(30);

    private static readonly LocalTimePattern Pattern = LocalTimePattern.CreateWithInvariantCulture("HH:mm");

    /// <param name="text">Such as <c>21:00-08:00</c>.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out QuietHours hours)
    {
        hours = default;
        if (text?.Split('-', StringSplitOptions.TrimEntries) is not [var from, var to] || !Pattern.Parse(from).TryGetValue(default, out var begin) || !Pattern.Parse(to).TryGetValue(default, out var end))
        {
            return false;
        }
        hours = new(begin, end);
        return begin != end && hours.Length <= Longest;
    }

    public bool Includes(Instant instant, DateTimeZone zone) => Includes(instant.InZone(zone).TimeOfDay);

    /// <returns>The instant itself, or the end of the quiet hours it lies in.</returns>
    public Instant NextAllowed(Instant instant, DateTimeZone zone)
    {
        var local = instant.InZone(zone);
        if (!Includes(local.TimeOfDay))
        {
            return instant;
        }
        var end = (local.TimeOfDay < To ? local.Date : local.Date.PlusDays(1)) + To;
        var mapping = zone.MapLocal(end);
        // An hour that the clock goes through twice may contain the end twice: the first one that is still to come counts.
        return mapping.Count == 0 ? mapping.LateInterval.Start
            : mapping.First().ToInstant() is var first && first >= instant ? first
            : mapping.Last().ToInstant();
    }

    /// <returns>The instant itself, or <see cref="Ahead"/> of the quiet hours it lies in.</returns>
    public Instant LastAllowed(Instant instant, DateTimeZone zone)
    {
        var local = instant.InZone(zone);
        if (!Includes(local.TimeOfDay))
        {
            return instant;
        }
        var begin = (local.TimeOfDay >= From ? local.Date : local.Date.PlusDays(-1)) + From;
        var ahead = zone.ResolveLocal(begin, Resolvers.CreateMappingResolver(Resolvers.ReturnEarlier, Resolvers.ReturnEndOfIntervalBefore)).ToInstant() - Ahead;
        return Includes(ahead, zone) ? NextAllowed(instant, zone) : ahead; // where a clock change has swallowed the evening
    }

    private bool Includes(LocalTime time) => From < To ? time >= From && time < To : time >= From || time < To;

    private Duration Length
    {
        get
        {
            var ticks = To.TickOfDay - From.TickOfDay;
            return Duration.FromTicks(ticks < 0 ? ticks + NodaConstants.TicksPerDay : ticks);
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Pattern.Format(From)}-{Pattern.Format(To)}");
}
