using System.Collections.Immutable;
using NodaTime;

namespace Subscriptions.Reminders.Planning;

/// <summary>When reminders of a visit go out.</summary>
/// <param name="Before">Time before the start, each above zero. Whole days are days of the calendar: the same time of day, whatever the clocks did since.</param>
/// <param name="Spacing">Two messages about one visit are at least so far apart, what tells of its booking included.</param>
public sealed record ReminderRules(ImmutableArray<TimeSpan> Before, QuietHours? Quiet, TimeSpan Spacing);

/// <param name="Before">The rule it comes from.</param>
/// <param name="NotAfter">From then on it is of no use: the next reminder goes out, or the visit begins.</param>
public readonly record struct PlannedReminder(TimeSpan Before, Instant Due, Instant NotAfter);

/// <summary>The reminders of one visit, as a function of what is known now: the same whenever it is asked again.</summary>
public static class ReminderPlan
{
    /// <param name="since">When the person learned of this time; what would have been due before is not made up for.</param>
    /// <param name="zone">The person's.</param>
    /// <returns>By the time they are due. Some may be due already: those that the next one has not replaced yet.</returns>
    public static ImmutableArray<PlannedReminder> Make(ReminderRules rules, Instant start, Instant since, Instant now, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(zone);
        var plan = new List<PlannedReminder>(rules.Before.Length);
        var spacing = Duration.FromTimeSpan(rules.Spacing);
        var next = start;
        foreach (var before in rules.Before.Distinct().Order())
        {
            var due = DueAt(before, start, zone, rules.Quiet);
            // From the last to the first: of two that would meet, the one nearer to the visit stays.
            if (due > since + spacing && (plan.Count == 0 ? due < start : due <= next - spacing && due < next))
            {
                plan.Add(new(before, due, next));
                next = due;
            }
        }
        plan.RemoveAll(reminder => reminder.NotAfter <= now);
        plan.Reverse();
        return [.. plan];
    }

    private static Instant DueAt(TimeSpan before, Instant start, DateTimeZone zone, QuietHours? quiet)
    {
        var local = start.InZone(zone).LocalDateTime.PlusDays(-before.Days);
        var due = zone.AtLeniently(local).ToInstant() - Duration.FromTimeSpan(before - TimeSpan.FromDays(before.Days));
        if (quiet is not { } hours || !hours.Includes(due, zone))
        {
            return due;
        }
        // In the morning, if that leaves half of the time; else in the evening before.
        var after = hours.NextAllowed(due, zone);
        return (start - after) * 2 >= Duration.FromTimeSpan(before) ? after : hours.LastAllowed(due, zone);
    }
}
