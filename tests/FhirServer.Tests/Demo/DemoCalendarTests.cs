using FhirServer.Demo;
using NodaTime;

namespace FhirServer.Tests.Demo;

public sealed class DemoCalendarTests
{
    private static readonly DemoPractitioner Day = DemoSites.Practitioners[0];
    private static readonly DemoPractitioner Night = DemoSites.Practitioners.Single(p => p.Hours.Any(h => h.To <= h.From));

    [Fact]
    public void TimesOn_AWorkingDay_FollowTheClockAndLeaveLunchFree()
    {
        var times = DemoCalendar.TimesOn(Day, new(2026, 1, 14)).ToArray();

        Assert.Equal("2026-01-14T08:00:00+01:00", times[0].StartText);
        Assert.Equal("2026-01-14T16:00:00+01:00", times[^1].EndText);
        Assert.DoesNotContain(times, time => time.Start.TimeOfDay >= new LocalTime(12, 0) && time.Start.TimeOfDay < new LocalTime(13, 0));
        Assert.Equal(14, times.Length);
    }

    [Fact]
    public void TimesOn_ADayOff_AreNone() => Assert.Empty(DemoCalendar.TimesOn(Day, new(2026, 1, 18)));

    [Fact]
    public void TimesOn_BothSidesOfAClockChange_KeepTheHourOnTheWall()
    {
        Assert.Equal("2026-03-27T08:00:00+01:00", DemoCalendar.TimesOn(Day, new(2026, 3, 27)).First().StartText);
        Assert.Equal("2026-03-30T08:00:00+02:00", DemoCalendar.TimesOn(Day, new(2026, 3, 30)).First().StartText);
    }

    [Fact]
    public void TimesOn_TheNightThatLosesAnHour_SkipTheTimesThatDoNotExist()
    {
        var times = DemoCalendar.TimesOn(Night, new(2026, 3, 28)).ToArray(); // 02:00 becomes 03:00 on the 29th

        Assert.DoesNotContain(times, time => time.Start.Hour == 2);
        Assert.Contains(times, time => time is { StartText: "2026-03-29T01:30:00+01:00", EndText: "2026-03-29T03:00:00+02:00" });
    }

    [Fact]
    public void TimesOn_TheNightThatGainsAnHour_OfferTheRepeatedHourOnce()
    {
        var times = DemoCalendar.TimesOn(Night, new(2026, 10, 24)).ToArray(); // 03:00 becomes 02:00 on the 25th

        Assert.Equal(["2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00"], times.Where(time => time.Start.Hour == 2).Select(time => time.StartText));
        Assert.Contains(times, time => time.StartText == "2026-10-25T03:00:00+01:00");
    }

    /// <summary>Instants are the oracle here, the calendar itself counts on the wall clock.</summary>
    [Fact]
    public void TimesOn_EveryDayOfTwoYears_NeverOverlapAndLastTheirLength()
    {
        foreach (var practitioner in DemoSites.Practitioners)
        {
            var ends = Instant.MinValue;
            for (var day = new LocalDate(2026, 1, 1); day < new LocalDate(2028, 1, 1); day = day.PlusDays(1))
            {
                foreach (var time in DemoCalendar.TimesOn(practitioner, day))
                {
                    Assert.True(time.Start.ToInstant() >= ends, $"{practitioner.Id} at {time.StartText} begins before the one before it ends.");
                    ends = time.End.ToInstant();
                    Assert.Equal(Duration.FromMinutes(practitioner.SlotMinutes), ends - time.Start.ToInstant());
                }
            }
        }
    }
}
