using System.Diagnostics;
using CsCheck;
using Forecasting.Daily;

namespace Forecasting.Tests.Daily;

/// <summary>Whatever comes in, what goes out is finite, not negative and flagged, soon.</summary>
public sealed class BadInputTests
{
    public static TheoryData<string, DailySeries, Doubts> Bad => new()
    {
        { "nothing", new(Loads.Monday, Array.Empty<double>()), Doubts.NoHistory },
        { "only unknown days", Loads.Of(400, _ => double.NaN), Doubts.NoHistory },
        { "one day", Loads.Of(1, _ => 5), Doubts.UnderTwoWeeks },
        { "two weeks", Loads.Of(14, day => day), Doubts.UnderEightWeeks },
        { "constant", Loads.Of(900, _ => 7), Doubts.Constant },
        { "all zero", Loads.Of(900, _ => 0), Doubts.Constant },
        { "one spike in zeros", Loads.Of(900, day => day == 450 ? 1e9 : 0), Doubts.None },
        { "one spike in a load", Loads.Of(900, day => day == 880 ? 1e9 : 20 + (day % 5)), Doubts.Spikes },
        { "one spike on the last day", Loads.Of(900, day => day == 899 ? 1e9 : 20 + (day % 5)), Doubts.Spikes },
        { "holes", Loads.Of(900, day => day % 9 == 0 ? double.NaN : 20 + (day % 5)), Doubts.Gaps },
        { "more holes than days", Loads.Of(900, day => day % 3 != 0 ? double.NaN : 20), Doubts.ManyGaps },
        { "not a number, infinite, negative", Loads.Of(900, day => (day % 4) switch { 0 => double.NaN, 1 => double.PositiveInfinity, 2 => -5, _ => 12 }), Doubts.ImpossibleCounts },
        { "huge", Loads.Of(900, day => 1e12 - day), Doubts.None },
        { "beyond belief", Loads.Of(900, _ => double.MaxValue), Doubts.NoHistory | Doubts.ImpossibleCounts },
        { "silent for two months", Loads.Of(900, day => day > 840 ? double.NaN : 20 + (day % 5)), Doubts.Stale },
        { "growing without end", Loads.Of(900, day => Math.Min(1e12, Math.Pow(1.04, day))), Doubts.None },
        { "alternating", Loads.Of(900, day => day % 2 * 1e6), Doubts.None },
        { "a million days", Loads.Of(1_000_000, day => 20 + (day % 7)), Doubts.None },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Forecast_BadSeries_IsSoundAndFlagged(string what, DailySeries series, Doubts doubts)
    {
        var begin = Stopwatch.GetTimestamp();

        var forecast = DailyForecaster.Forecast(series, ServiceCalendar.AlwaysOpen, 366);

        Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(10), what);
        Assert.True(forecast.Doubts.HasFlag(doubts), $"{what}: {forecast.Doubts}");
        Sound(forecast);
    }

    [Fact]
    public void Forecast_SeriesOfAnything_IsSound() =>
        Gen.Select(Gen.OneOf(Gen.Double, Gen.Double[0, 5], Gen.Const(0.0), Gen.Const(double.NaN), Gen.Double[0, 1e13]).Array[0, 250], Gen.Int[1, 100], Gen.Int[0, 127]).Sample((values, horizon, closed) =>
        {
            var calendar = new ServiceCalendar { ClosedWeekdays = Enum.GetValues<DayOfWeek>().Where(day => (closed & (1 << (int)day)) != 0).ToHashSet() };
            Sound(DailyForecaster.Forecast(new(Loads.Monday, values), calendar, horizon));
        }, iter: 150);

    [Theory]
    [InlineData(-1000)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1e300)]
    public void Forecast_ImpossibleCounts_AsIfNotKnown(double impossible)
    {
        DailyForecast With(double value) => DailyForecaster.Forecast(Loads.Of(300, day => day % 11 == 0 ? value : 20 + (day % 7)), ServiceCalendar.AlwaysOpen, 28);

        Assert.Equal(With(double.NaN).Days, With(impossible).Days);
        Assert.True(With(impossible).Doubts.HasFlag(Doubts.ImpossibleCounts));
    }

    [Fact]
    public void Forecast_SpikeInALoad_BarelyMovesIt()
    {
        var clean = DailyForecaster.Forecast(Loads.Of(900, day => 20 + (day % 7)), ServiceCalendar.AlwaysOpen, 28);
        var spoilt = DailyForecaster.Forecast(Loads.Of(900, day => day == 700 ? 1e9 : 20 + (day % 7)), ServiceCalendar.AlwaysOpen, 28);

        Assert.All(clean.Days.Zip(spoilt.Days), pair => Assert.Equal(pair.First.Value, pair.Second.Value, 1.0));
    }

    [Fact]
    public void Gather_FutureDuplicateAndOutOfOrderCounts_LastOfEachCompleteDayStands()
    {
        var end = new DateOnly(2026, 3, 5);

        var series = DailySeries.Gather([(end.AddDays(-2), 4), (end.AddDays(-4), 1), (end, 9), (end.AddDays(30), 9), (end.AddDays(-2), 5), (end.AddDays(-3000), 8)], end, out var dropped);

        Assert.Equal(end.AddDays(-4), series.Start);
        Assert.Equal(end, series.End);
        Assert.Equal([1, double.NaN, 5, double.NaN], series.Values.ToArray());
        Assert.Equal(4, dropped);
    }

    private static void Sound(DailyForecast forecast)
    {
        Assert.All(forecast.Days.Index(), day =>
        {
            Assert.True(double.IsFinite(day.Item.Value) && day.Item.Value >= 0, $"{day.Item}");
            var (inner, outer) = (forecast.Interval(day.Index, 80), forecast.Interval(day.Index, 95));
            Assert.True(double.IsFinite(outer.Upper) && 0 <= outer.Lower && outer.Lower <= inner.Lower && inner.Lower <= day.Item.Value, $"{day.Item} {inner} {outer}");
            Assert.True(day.Item.Value <= inner.Upper && inner.Upper <= outer.Upper, $"{day.Item} {inner} {outer}");
        });
        Assert.True(forecast.Mase is null or >= 0);
        Assert.NotEmpty(forecast.Method);
    }
}
