using System.Collections.Immutable;
using CsCheck;
using NodaTime;
using Subscriptions.Reminders.Planning;

namespace Subscriptions.Tests.Reminders.Planning;

public sealed class ReminderPlanTests
{
    private static readonly DateTimeZone Berlin = DateTimeZoneProviders.Tzdb["Europe/Berlin"];
    private static readonly QuietHours Night = Hours("21:00-08:00");
    private static readonly ReminderRules Usual = new([TimeSpan.FromDays(7), TimeSpan.FromDays(1), TimeSpan.FromHours(2)], Night, TimeSpan.FromHours(1));

    [Fact]
    public void Usual_SevenDaysOneDayTwoHours()
    {
        var plan = Plan(Usual, "2026-05-19T14:00", since: "2026-05-01T10:00");
        Assert.Equal(["2026-05-12T14:00", "2026-05-18T14:00", "2026-05-19T12:00"], plan.Select(r => Local(r.Due)));
        Assert.Equal(["2026-05-18T14:00", "2026-05-19T12:00", "2026-05-19T14:00"], plan.Select(r => Local(r.NotAfter)));
    }

    [Fact]
    public void DayBefore_AcrossAClockChange_IsTheSameTimeOfDay()
    {
        Assert.Equal("2026-03-28T14:00", Local(Plan(Usual, "2026-03-29T14:00", since: "2026-03-01T10:00")[1].Due)); // 23 hours
        Assert.Equal("2026-10-24T14:00", Local(Plan(Usual, "2026-10-25T14:00", since: "2026-10-01T10:00")[1].Due)); // 25 hours
    }

    [Fact]
    public void EarlyVisit_IsRemindedOfInTheEveningBefore() =>
        Assert.Equal(["2026-05-12T08:30", "2026-05-18T08:30", "2026-05-18T20:30"], Plan(Usual, "2026-05-19T08:30", since: "2026-05-01T10:00").Select(r => Local(r.Due)));

    [Fact]
    public void LateVisit_IsRemindedOfInTheMorning() =>
        Assert.Equal(["2026-05-13T08:00", "2026-05-19T08:00", "2026-05-19T20:30"], Plan(Usual, "2026-05-19T22:30", since: "2026-05-01T10:00").Select(r => Local(r.Due)));

    [Fact]
    public void BookedLate_OnlyWhatIsStillToComeIsPlanned()
    {
        Assert.Equal(["2026-05-19T12:00"], Plan(Usual, "2026-05-19T14:00", since: "2026-05-18T20:00").Select(r => Local(r.Due)));
        Assert.Empty(Plan(Usual, "2026-05-19T14:00", since: "2026-05-19T13:00"));
        Assert.Empty(Plan(Usual, "2026-05-19T14:00", since: "2026-05-19T11:30")); // half an hour after the booking was told
    }

    [Fact]
    public void NotYetSent_StaysUntilTheNextReplacesIt()
    {
        var late = Plan(Usual, "2026-05-19T14:00", since: "2026-05-01T10:00", now: "2026-05-18T13:59");
        Assert.Equal(["2026-05-12T14:00", "2026-05-18T14:00", "2026-05-19T12:00"], late.Select(r => Local(r.Due)));
        Assert.Equal(["2026-05-18T14:00", "2026-05-19T12:00"], Plan(Usual, "2026-05-19T14:00", since: "2026-05-01T10:00", now: "2026-05-18T14:00").Select(r => Local(r.Due)));
        Assert.Empty(Plan(Usual, "2026-05-19T14:00", since: "2026-05-01T10:00", now: "2026-05-19T14:00"));
    }

    [Fact]
    public void TwoThatWouldMeet_AreOne() =>
        Assert.Equal(["2026-05-18T20:30"], Plan(new([TimeSpan.FromHours(12), TimeSpan.FromHours(2)], Night, TimeSpan.FromHours(1)), "2026-05-19T08:30", since: "2026-05-01T10:00").Select(r => Local(r.Due)));

    /// <summary>Every property that a person would complain about, over all zones, rules, quiet hours and times, clock changes among them.</summary>
    [Fact]
    public void AnyPlan_KeepsItsPromises() => AnyCase.Sample(
        one =>
        {
            var (rules, start, since, now, zone) = one;
            var plan = ReminderPlan.Make(rules, start, since, now, zone);
            var dues = plan.Select(r => r.Due).ToArray();

            Assert.True(plan.Length <= rules.Before.Length);
            Assert.Equal(plan.Select(r => r.Before).Distinct().Count(), plan.Length);
            Assert.All(plan, r => Assert.True(r.Due < start, "after the visit has begun"));
            Assert.All(plan, r => Assert.True(r.Due > since, "before the person knew of it"));
            Assert.All(plan, r => Assert.True(r.NotAfter > now && r.NotAfter <= start && r.Due < r.NotAfter, "of no use"));
            Assert.All(plan, r => Assert.False(InQuiet(rules.Quiet, r.Due, zone), "in quiet hours"));
            Assert.All(dues.Zip(dues.Skip(1)), pair => Assert.True(pair.Second - pair.First >= Duration.FromTimeSpan(rules.Spacing) && pair.Second > pair.First, "too close together"));
            Assert.All(plan.SkipLast(1).Zip(plan.Skip(1)), pair => Assert.Equal(pair.Second.Due, pair.First.NotAfter));
            Assert.Equal(plan, ReminderPlan.Make(rules, start, since, now, zone));
            // Time that passes removes what is over and changes nothing else.
            var later = ReminderPlan.Make(rules, start, since, now + Duration.FromHours(5), zone);
            Assert.Equal(plan.Where(r => r.NotAfter > now + Duration.FromHours(5)), later);
        },
        iter: 20_000);

    /// <summary>Without quiet hours nothing is moved: days are counted on the calendar, by an oracle that knows no zones but asks for wall clocks.</summary>
    [Fact]
    public void WithoutQuietHours_DueIsTheSameTimeOfDay() => AnyCase.Sample(
        one =>
        {
            var (_, start, _, _, zone) = one;
            foreach (var days in (int[])[1, 3, 7, 30])
            {
                var due = Assert.Single(ReminderPlan.Make(new([TimeSpan.FromDays(days)], null, TimeSpan.Zero), start, Instant.MinValue, Instant.MinValue, zone)).Due.InZone(zone).LocalDateTime;
                var wanted = start.InZone(zone).LocalDateTime.PlusDays(-days);
                Assert.True(due == wanted || zone.MapLocal(wanted).Count == 0, $"{zone} {wanted} {due}");
            }
        },
        iter: 5_000);

    /// <summary>One more, which may turn out not to be needed, changes nothing about the usual ones and meets none of them.</summary>
    [Fact]
    public void More_LeavesTheUsualOnesAlone() => Gen.Select(AnyCase, AnyBefore.Array[0, 3]).Sample(
        (one, before) =>
        {
            var (rules, start, since, now, zone) = one;
            var usual = ReminderPlan.Make(rules, start, since, now, zone);
            var more = ReminderPlan.MakeMore(rules, [.. before], start, since, now, zone);
            Assert.All(more, extra => Assert.Contains(extra.Before, before));
            Assert.All(more, extra => Assert.True(extra.Due > since && extra.Due < extra.NotAfter && extra.NotAfter > now && extra.NotAfter <= start, "of no use"));
            Assert.All(more, extra => Assert.False(InQuiet(rules.Quiet, extra.Due, zone), "in quiet hours"));
            foreach (var (a, b) in usual.SelectMany(a => more.Select(b => (a, b))))
            {
                Assert.True(a.Due != b.Due && (a.Due - b.Due >= Duration.FromTimeSpan(rules.Spacing) || b.Due - a.Due >= Duration.FromTimeSpan(rules.Spacing)), "meets a usual one");
                Assert.True(b.Due > a.Due || b.NotAfter <= a.Due, "still out when the next is due");
            }
        },
        iter: 10_000);

    [Fact]
    public void More_ComesBetweenTheUsualOnes()
    {
        var more = ReminderPlan.MakeMore(Usual, [TimeSpan.FromDays(3), TimeSpan.FromHours(24)], At("2026-05-19T14:00"), At("2026-05-01T10:00"), At("2026-05-01T10:00"), Berlin);
        var only = Assert.Single(more); // a day before there is one anyway
        Assert.Equal(("2026-05-16T14:00", "2026-05-18T14:00"), (Local(only.Due), Local(only.NotAfter)));
    }

    private static bool InQuiet(QuietHours? quiet, Instant at, DateTimeZone zone)
    {
        if (quiet is not { } hours)
        {
            return false;
        }
        // Minutes of the day, so that the oracle shares nothing with the code but the clock on the wall.
        var minute = (int)(at.InZone(zone).TickOfDay / NodaConstants.TicksPerMinute);
        var (from, to) = (Minutes(hours.From), Minutes(hours.To));
        return from < to ? minute >= from && minute < to : minute >= from || minute < to;

        static int Minutes(LocalTime time) => (time.Hour * 60) + time.Minute;
    }

    private static readonly string[] Zones =
    [
        "Europe/Berlin", "America/New_York", "Asia/Almaty", "Australia/Lord_Howe", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca",
        "Pacific/Apia", "America/Santiago", "Europe/Dublin", "Asia/Tehran", "Antarctica/Troll",
    ];

    private static readonly Gen<DateTimeZone> AnyZone = Gen.Int[0, Zones.Length - 1].Select(i => DateTimeZoneProviders.Tzdb[Zones[i]]);

    private static readonly Gen<QuietHours?> AnyQuiet = Gen.Select(Gen.Int[0, 1439], Gen.Int[5, 1200], Gen.Int[0, 4]).Select((from, length, none) =>
        none == 0 ? null : (QuietHours?)new QuietHours(LocalTime.FromMinutesSinceMidnight(from), LocalTime.FromMinutesSinceMidnight((from + length) % 1440)));

    private static readonly Gen<TimeSpan> AnyBefore = Gen.Frequency((3, Gen.Int[1, 40].Select(days => TimeSpan.FromDays(days))), (5, Gen.Int[5, 60 * 72].Select(minutes => TimeSpan.FromMinutes(minutes))));

    /// <summary>Half of the visits are near to a clock change of their zone.</summary>
    private static readonly Gen<(ReminderRules, Instant, Instant, Instant, DateTimeZone)> AnyCase =
        Gen.Select(AnyZone, AnyQuiet, AnyBefore.Array[0, 6], Gen.Int[0, 60 * 24 * 730], Gen.Int[-3000, 3000], Gen.Bool, Gen.Int[0, 60 * 24 * 50], Gen.Int[0, 60 * 24 * 50])
            .Select((zone, quiet, before, minutes, near, isNear, known, passed) =>
            {
                var start = Instant.FromUtc(2026, 1, 1, 0, 0) + Duration.FromMinutes(minutes);
                if (isNear && zone.GetZoneInterval(start) is { HasEnd: true } interval && interval.End < Instant.FromUtc(2100, 1, 1, 0, 0))
                {
                    start = interval.End + Duration.FromMinutes(near);
                }
                var since = start - Duration.FromMinutes(known);
                return (new ReminderRules([.. before], quiet, TimeSpan.FromMinutes(minutes % 3 * 60)), start, since, since + Duration.FromMinutes(Math.Min(passed, known + 100)), zone);
            });

    private static ImmutableArray<PlannedReminder> Plan(ReminderRules rules, string start, string since, string? now = null) =>
        ReminderPlan.Make(rules, At(start), At(since), At(now ?? since), Berlin);

    private static Instant At(string local) => NodaTime.Text.LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm").Parse(local).Value.InZoneLeniently(Berlin).ToInstant();

    private static string Local(Instant at) => at.InZone(Berlin).ToString("uuuu-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture);

    private static QuietHours Hours(string text) => QuietHours.TryParse(text, out var hours) ? hours : throw new ArgumentException(text);
}
