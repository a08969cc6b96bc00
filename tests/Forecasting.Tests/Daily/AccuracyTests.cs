using System.Globalization;
using Forecasting.Daily;

namespace Forecasting.Tests.Daily;

public sealed class AccuracyTests
{
    private const string Shared = "data/series/uihc_ed_daily.csv";

    /// <summary>The whole table, beside other methods: bench/Forecasts.</summary>
    [Fact]
    public void EmergencyDepartment_LastYearFromAnOriginAFortnight_AsAccurateAsPromised()
    {
        var path = Find();
        Assert.SkipWhen(path is null, $"shared/{Shared} is not beside the repository, and FHIR_SHARED does not name its folder.");
        var rows = File.ReadLines(path!).Skip(1).Select(line => line.Split(',')).ToArray();
        var values = rows.Select(row => double.Parse(row[1], CultureInfo.InvariantCulture)).ToArray();
        var series = new DailySeries(DateOnly.Parse(rows[0][0], CultureInfo.InvariantCulture), values);

        var (week, month, inside80, inside95, origins) = (0.0, 0.0, 0.0, 0.0, 0);
        var (weeks80, weeks95) = (0.0, 0.0);
        for (var origin = values.Length - 364; origin + 28 <= values.Length; origin += 14, origins++)
        {
            var forecast = DailyForecaster.Forecast(series with { Values = values.AsMemory(0, origin) }, ServiceCalendar.AlwaysOpen, 28);
            var naive = Enumerable.Range(origin - 721, 721).Average(day => Math.Abs(values[day] - values[day - 7]));
            double Error(int ahead) => Math.Abs(values[origin + ahead] - forecast.Days[ahead].Value);
            double Inside(int ahead, int percent) => forecast.Interval(ahead, percent) is var (lower, upper) && values[origin + ahead] >= lower && values[origin + ahead] <= upper ? 1 : 0;
            week += Enumerable.Range(0, 7).Average(Error) / naive;
            month += Enumerable.Range(0, 28).Average(Error) / naive;
            inside80 += Enumerable.Range(0, 28).Average(ahead => Inside(ahead, 80));
            inside95 += Enumerable.Range(0, 28).Average(ahead => Inside(ahead, 95));
            double WeekInside(int ahead, int percent) =>
                forecast.IntervalOfSum(ahead, 7, percent) is var (lower, upper) && Enumerable.Range(origin + ahead, 7).Sum(day => values[day]) is var sum && sum >= lower && sum <= upper ? 1 : 0;
            weeks80 += new[] { 0, 7, 14, 21 }.Average(ahead => WeekInside(ahead, 80));
            weeks95 += new[] { 0, 7, 14, 21 }.Average(ahead => WeekInside(ahead, 95));
        }

        Assert.InRange(week / origins, 0, 0.78);
        Assert.InRange(month / origins, 0, 0.79);
        Assert.InRange(inside80 / origins, 0.76, 0.86);
        Assert.InRange(inside95 / origins, 0.92, 0.98);
        Assert.InRange(weeks80 / origins, 0.72, 0.90); // a hundred weeks, not independent of each other
        Assert.InRange(weeks95 / origins, 0.90, 1);
    }

    /// <summary>Where chance is all there is, intervals hold what they promise.</summary>
    [Fact]
    public void Intervals_IndependentVisits_HoldTheirShare()
    {
        var (inside80, inside95, count) = (0, 0, 0);
        for (var seed = 0; seed < 20; seed++)
        {
            var all = Loads.Clinic(500, seed, _ => 15).Values;
            var forecast = DailyForecaster.Forecast(new(Loads.Monday, all[..472]), ServiceCalendar.AlwaysOpen, 28);
            for (var ahead = 0; ahead < 28; ahead++, count++)
            {
                var truth = all.Span[472 + ahead];
                inside80 += forecast.Interval(ahead, 80) is var (low, high) && truth >= low && truth <= high ? 1 : 0;
                inside95 += forecast.Interval(ahead, 95) is var (lower, upper) && truth >= lower && truth <= upper ? 1 : 0;
            }
        }

        Assert.InRange(inside80 / (double)count, 0.74, 0.88);
        Assert.InRange(inside95 / (double)count, 0.91, 0.99);
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("FHIR_SHARED") is { Length: > 0 } named)
        {
            return File.Exists(Path.Combine(named, Shared)) ? Path.Combine(named, Shared) : null;
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "shared", Shared)))
            {
                return Path.Combine(folder.FullName, "shared", Shared);
            }
        }
        return null;
    }
}
