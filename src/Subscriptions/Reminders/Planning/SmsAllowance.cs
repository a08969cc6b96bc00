using NodaTime;

namespace Subscriptions.Reminders.Planning;

/// <summary>How many SMS one number gets at most, 47 CFR 64.1200(a)(9)(iv): one a day and three a week.</summary>
/// <param name="PerDay">In a day of the person's calendar; 0: no limit.</param>
/// <param name="PerWeek">In seven such days; 0: no limit.</param>
public readonly record struct SmsAllowance(int PerDay, int PerWeek)
{
    /// <summary>What was sent longer ago counts no more.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromDays(8);

    /// <param name="sent">When others went to the same number.</param>
    public bool Allows(IEnumerable<Instant> sent, Instant now, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(sent);
        var today = now.InZone(zone).Date;
        var (day, week) = (0, 0);
        foreach (var at in sent)
        {
            var date = at.InZone(zone).Date;
            day += date == today ? 1 : 0;
            week += date > today.PlusDays(-7) && date <= today ? 1 : 0;
        }
        return (PerDay == 0 || day < PerDay) && (PerWeek == 0 || week < PerWeek);
    }
}
