using CsCheck;
using Forecasting.Hourly;
using Forecasting.Tests.Daily;

namespace Forecasting.Tests.Hourly;

public sealed class HourlyProfileTests
{
    private static readonly Gen<(DateOnly, int, double)[]> AnyVisits =
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 23], Gen.OneOf(Gen.Double[0, 20], Gen.Const(double.NaN), Gen.Const(-3.0))).Select((day, hour, count) => (Loads.Monday.AddDays(day), hour, count)).Array[0, 80];

    [Fact]
    public void Spread_AnyVisits_SumsToTheDayAndStaysInItsHours() =>
        Gen.Select(AnyVisits, Gen.Enum<DayOfWeek>(), Gen.Double[0, 500], Gen.Int[0, 23].HashSet[1, 24]).Sample((visits, weekday, load, hours) =>
        {
            var spread = HourlyProfile.Of(visits, Loads.Monday).Spread(weekday, load, hours);
            Assert.Equal(24, spread.Length);
            Assert.Equal(load, spread.Sum(), 1e-9);
            Assert.All(spread.Index(), hour => Assert.True(hour.Item >= 0 && (hour.Item == 0 || hours.Contains(hour.Index))));
        });

    [Fact]
    public void Spread_WeekdayWithManyVisits_HasItsOwnShapeAndANewOneTheCommon()
    {
        var monday = Enumerable.Range(0, 50).Select(week => (Loads.Monday.AddDays(7 * week), 9, 30.0));
        var tuesday = Enumerable.Range(0, 50).Select(week => (Loads.Monday.AddDays((7 * week) + 1), 15, 30.0));
        var profile = HourlyProfile.Of(monday.Concat(tuesday), Loads.Monday);

        Assert.InRange(profile.Spread(DayOfWeek.Monday, 100)[9], 98, 100);
        Assert.InRange(profile.Spread(DayOfWeek.Tuesday, 100)[15], 98, 100);
        Assert.Equal(50, profile.Spread(DayOfWeek.Friday, 100)[9], 1e-9);
    }

    [Fact]
    public void Of_VisitsBeforeTheStart_AreForgotten() =>
        Assert.Equal(24, HourlyProfile.Of([(Loads.Monday, 3, 1000)], Loads.Monday.AddDays(1)).Spread(DayOfWeek.Monday, 24 * 24)[3], 1e-9);
}
