using CsCheck;
using NodaTime;
using Subscriptions.Reminders.Planning;

namespace Subscriptions.Tests.Reminders.Planning;

public sealed class QuietHoursTests
{
    [Theory]
    [InlineData("21:00-08:00", true)]
    [InlineData("00:00-06:30", true)]
    [InlineData("13:00 - 15:00", true)]
    [InlineData("08:00-08:00", false)]
    [InlineData("08:00-07:00", false)] // leaves an hour
    [InlineData("21-8", false)]
    [InlineData("25:00-08:00", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Text_IsTwoTimesOfDay(string? text, bool isRight) => Assert.Equal(isRight, QuietHours.TryParse(text, out _));

    [Fact]
    public void AnyTime_IsMovedToTheNearestEdge()
    {
        var zones = DateTimeZoneProviders.Tzdb.Ids.Select(id => DateTimeZoneProviders.Tzdb[id]).ToArray();
        Gen.Select(Gen.Int[0, zones.Length - 1].Select(i => zones[i]), Gen.Int[0, 1439], Gen.Int[1, 1200], Gen.Int[0, 60 * 24 * 365]).Sample(
            (zone, from, length, minutes) =>
            {
                var quiet = new QuietHours(LocalTime.FromMinutesSinceMidnight(from), LocalTime.FromMinutesSinceMidnight((from + length) % 1440));
                var at = Instant.FromUtc(2026, 1, 1, 0, 0) + Duration.FromMinutes(minutes);
                var next = quiet.NextAllowed(at, zone);
                Assert.False(quiet.Includes(next, zone));
                Assert.True(next >= at && next - at <= QuietHours.Longest + Duration.FromHours(3));
                // No minute between would have done.
                for (var step = at; step < next; step += Duration.FromMinutes(7))
                {
                    Assert.True(quiet.Includes(step, zone));
                }
                var last = quiet.LastAllowed(at, zone);
                Assert.False(quiet.Includes(last, zone));
                Assert.Equal(quiet.Includes(at, zone), last != at);
            },
            iter: 20_000);
    }

    [Fact]
    public void Allowance_CountsDaysOfThePersonsCalendar()
    {
        var zone = DateTimeZoneProviders.Tzdb["America/New_York"];
        var allowance = new SmsAllowance(1, 3);
        var now = Instant.FromUtc(2026, 5, 5, 3, 30); // 4 May, 23:30 there
        Assert.True(allowance.Allows([], now, zone));
        Assert.False(allowance.Allows([now - Duration.FromHours(23)], now, zone)); // the same day there, another one in UTC
        Assert.True(allowance.Allows([now - Duration.FromHours(24)], now, zone));
        Assert.True(allowance.Allows([now - Duration.FromDays(2), now - Duration.FromDays(3)], now, zone));
        Assert.False(allowance.Allows([now - Duration.FromDays(2), now - Duration.FromDays(3), now - Duration.FromDays(6)], now, zone));
        Assert.True(allowance.Allows([now - Duration.FromDays(2), now - Duration.FromDays(3), now - Duration.FromDays(7)], now, zone));
        Assert.True(new SmsAllowance(0, 0).Allows(Enumerable.Repeat(now, 100), now, zone));
    }
}
