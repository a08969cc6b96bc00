using System.Globalization;
using Forecasting.Daily;

namespace Forecasts;

/// <summary>A daily series with its calendar, under the name the report gives it.</summary>
/// <param name="Draws">One; or of a series that chance thinned several, whose results are averaged.</param>
internal sealed record LoadSeries(string Name, IReadOnlyList<DailySeries> Draws, ServiceCalendar Calendar)
{
    private const int DrawCount = 5;

    /// <param name="path">CSV with a header, then <c>yyyy-MM-dd,count</c> for each day without a hole.</param>
    public static DailySeries Read(string path)
    {
        var rows = File.ReadLines(path).Skip(1).Select(line => line.Split(',')).ToArray();
        return new(DateOnly.Parse(rows[0][0], CultureInfo.InvariantCulture), rows.Select(row => double.Parse(row[1], CultureInfo.InvariantCulture)).ToArray());
    }

    /// <summary>Keeps each visit with the given chance: what a small clinic of the same shape would see.</summary>
    public static DailySeries Thinned(DailySeries days, double share, int seed)
    {
#pragma warning disable CA5394 // no secret: the same thinning on every run is the point
        var random = new Random(seed);
        return days with { Values = days.Values.ToArray().Select(count => (double)Enumerable.Range(0, (int)count).Count(_ => random.NextDouble() < share)).ToArray() };
#pragma warning restore CA5394
    }

    public static IEnumerable<LoadSeries> FromEmergencyDepartment(DailySeries days) =>
    [
        new("UIHC ED (≈ 150 a day)", [days], ServiceCalendar.AlwaysOpen),
        new($"thinned to 10 %, mean of {DrawCount} draws", [.. Enumerable.Range(1, DrawCount).Select(seed => Thinned(days, 0.10, seed))], ServiceCalendar.AlwaysOpen),
        new($"Monday–Friday, 12 %, mean of {DrawCount} draws", [.. Enumerable.Range(1, DrawCount).Select(seed => Thinned(days, 0.12, 100 + seed))],
            new() { ClosedWeekdays = new HashSet<DayOfWeek> { DayOfWeek.Saturday, DayOfWeek.Sunday } }),
    ];
}
