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

    /// <summary>Further reminders, each of which may turn out not to be needed: so the usual ones stay as they are, and what would meet one of them is left out.</summary>
    /// <param name="before">Time before the start at which one more would be due.</param>
    public static ImmutableArray<PlannedReminder> MakeMore(
        ReminderRules rules, ImmutableArray<TimeSpan> before, Instant start, Instant since, Instant now, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var usual = Make(rules, start, since, Instant.MinValue, zone);
        var spacing = Duration.FromTimeSpan(rules.Spacing);
        var more = ImmutableArray.CreateBuilder<PlannedReminder>();
        foreach (var reminder in Make(rules with { Before = before }, start, since, Instant.MinValue, zone))
        {
            var isAlone = usual.All(other => other.Due != reminder.Due && (other.Due - reminder.Due >= spacing || reminder.Due - other.Due >= spacing));
            var notAfter = usual.Select(other => other.Due).Where(due => due > reminder.Due).Append(reminder.NotAfter).Min();
            if (isAlone && notAfter > now)
            {
                more.Add(reminder with { NotAfter = notAfter });
            }
        }
        return more.DrainToImmutable();
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
