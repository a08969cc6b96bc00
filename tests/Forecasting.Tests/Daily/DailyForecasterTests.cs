using CsCheck;
using Forecasting.Daily;

namespace Forecasting.Tests.Daily;

public sealed class DailyForecasterTests
{
    private static readonly ServiceCalendar Open = ServiceCalendar.AlwaysOpen;

    [Theory]
    [InlineData(1, "plain mean", Doubts.UnderTwoWeeks)]
    [InlineData(13, "plain mean", Doubts.UnderTwoWeeks)]
    [InlineData(14, "weekday mean, 8 weeks", Doubts.UnderEightWeeks)]
    [InlineData(55, "weekday mean, 8 weeks", Doubts.UnderEightWeeks)]
    [InlineData(56, "mix of weekday mean, 8 weeks + SSA 28 days, rank 1 + level smoother", Doubts.None)]
    [InlineData(727, "mix of weekday mean, 8 weeks + SSA 28 days, rank 1 + level smoother", Doubts.None)]
    [InlineData(728, "mix of SSA 28 days, rank 1 + SSA 364 days, rank 3 + level smoother", Doubts.None)]
    public void Forecast_HistoryOfThatManyDays_IsServedByThatMethod(int days, string method, Doubts doubts)
    {
        var forecast = DailyForecaster.Forecast(Loads.Clinic(days, seed: 1), Open, 28);

        Assert.Equal(method, forecast.Method);
        Assert.Equal(doubts, forecast.Doubts & (Doubts.UnderTwoWeeks | Doubts.UnderEightWeeks));
        Assert.Equal(28, forecast.Days.Count);
        Assert.Equal(Loads.Monday.AddDays(days), forecast.Days[0].Day);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(200)]
    [InlineData(1000)]
    public void Forecast_TheSameWeekAgainAndAgain_ContinuesIt(int days)
    {
        var forecast = DailyForecaster.Forecast(Loads.Of(days, day => 10 + (3 * (day % 7))), Open, 28);

        Assert.All(forecast.Days.Index(), day => Assert.Equal(10 + (3 * ((days + day.Index) % 7)), day.Item.Value, 1e-3));
    }

    [Fact]
    public void Forecast_TwoYearsOfAWeeklyAndYearlyShape_BeatsTheMeanAndIsTrusted()
    {
        var forecast = DailyForecaster.Forecast(Loads.Clinic(1100, seed: 3), Open, 28);

        Assert.True(forecast.BeatsMean);
        Assert.True(forecast.IsTrusted, forecast.Doubts.ToString());
        Assert.InRange(forecast.Mase!.Value, 0.5, 0.85);
        Assert.Equal(1, forecast.Weights.Values.Sum(), 1e-12);
        Assert.All(forecast.Days.Index(), day => Assert.Equal(Loads.Mean(1100 + day.Index), day.Item.Value, 4.0));
    }

    [Fact]
    public void Forecast_ClosedWeekdaysAndDays_BringNothingAndTeachNothing()
    {
        var series = Loads.Of(400, day => day % 7 >= 5 ? 0 : 20);
        var calendar = Loads.WorkingWeek with { ClosedDays = new HashSet<DateOnly> { series.End.AddDays(7), Loads.Monday.AddDays(395) } };
        var spoilt = series with { Values = series.Values.ToArray().Select((count, day) => day % 7 >= 5 || day == 395 ? 9999 : count).ToArray() };

        var forecast = DailyForecaster.Forecast(series, calendar, 28);

        Assert.All(forecast.Days, day => Assert.Equal(calendar.IsOpen(day.Day) ? 20 : 0, day.Value, 1e-6));
        Assert.All(forecast.Days.Index().Where(day => !day.Item.IsOpen), day => Assert.Equal((0, 0), forecast.Interval(day.Index, 95)));
        Assert.Equal(forecast.Days, DailyForecaster.Forecast(spoilt, calendar, 28).Days);
    }

    [Fact]
    public void Forecast_WeekendsThatNeverBringAnything_AreTakenForClosed()
    {
        var forecast = DailyForecaster.Forecast(Loads.Of(200, day => day % 7 >= 5 ? 0 : 20), Open, 28);

        Assert.True(forecast.Doubts.HasFlag(Doubts.QuietWeekdays));
        Assert.Equal(8, forecast.Days.Count(day => !day.IsOpen));
        Assert.Equal(20 * 20, forecast.Days.Sum(day => day.Value), 1e-3);
    }

    [Fact]
    public void Forecast_HolidayThatHalvedTheLoadBefore_ExpectsLessOfTheNextAndLeavesItsNeighboursAlone()
    {
        var series = Loads.Of(800, day => day is 359 or 724 ? 10 : 20);
        var holidays = new[] { 359, 724, 805 }.ToDictionary(Loads.Monday.AddDays, _ => "year's end");

        var forecast = DailyForecaster.Forecast(series, Open with { Holidays = holidays }, 14);

        Assert.Equal(12, forecast.Days[5].Value, 0.1); // two occurrences at one half, and half an occurrence's worth of doubt
        Assert.All(forecast.Days.Index().Where(day => day.Index != 5), day => Assert.Equal(20, day.Item.Value, 1e-6));
    }

    [Fact]
    public void Forecast_LoadThatDoubledTwoWeeksAgo_IsNotTrusted()
    {
        var forecast = DailyForecaster.Forecast(Loads.Clinic(600, seed: 5, day => day >= 586 ? 40 : 18), Open, 28);

        Assert.True(forecast.Doubts.HasFlag(Doubts.RecentShift));
        Assert.False(forecast.IsTrusted);
    }

    [Fact]
    public void Forecast_SeriesBegunAnotherWeek_SameNumbers() => Gen.Select(Gen.Int[0, 500], Gen.Int[-200, 200], Gen.Int[20, 300]).Sample((seed, weeks, days) =>
    {
        var series = Loads.Clinic(days, seed);
        var moved = series with { Start = series.Start.AddDays(7 * weeks) };
        Assert.Equal(
            DailyForecaster.Forecast(series, Open, 14).Days.Select(day => day.Value),
            DailyForecaster.Forecast(moved, Open, 14).Days.Select(day => day.Value));
    }, iter: 15);

    /// <summary>Above a few visits a day nothing depends on the unit.</summary>
    [Fact]
    public void Forecast_LoadTimesSixteen_IsTheForecastTimesSixteen() => Gen.Int[0, 500].Sample(seed =>
    {
        var series = Loads.Clinic(300, seed, _ => 30);
        var scaled = series with { Values = series.Values.ToArray().Select(count => 16 * count).ToArray() };
        var (one, sixteen) = (DailyForecaster.Forecast(series, Open, 14), DailyForecaster.Forecast(scaled, Open, 14));
        Assert.Equal(one.Mase!.Value, sixteen.Mase!.Value, 1e-6);
        Assert.All(one.Days.Zip(sixteen.Days), pair => Assert.Equal(16 * pair.First.Value, pair.Second.Value, 1e-3));
    }, iter: 10);

    [Fact]
    public void Forecast_SameSeriesTwice_SameBits()
    {
        var series = Loads.Clinic(1200, seed: 8);

        Assert.Equal(DailyForecaster.Forecast(series, Open, 60).Days, DailyForecaster.Forecast(series, Open, 60).Days);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(367)]
    public void Forecast_HorizonOutOfRange_IsRefused(int horizon) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => DailyForecaster.Forecast(Loads.Clinic(100, 1), Open, horizon));
}
