using System.Globalization;
using System.Text;
using Forecasts;

// Forecasts reads --base URL --client ID --secret SECRET: what reads feel of a recount beside them, on a running demo.
// Forecasts no-show [--output FILE]: the risk of missed visits against the truth of a made-up clinic.
// Forecasts [--data CSV] [--output FILE|none] [--no-times]: how good the forecasts are by a rolling protocol, and what they cost.
if (args is ["reads", ..])
{
    return await ReadsBeside.RunAsync(new(Option("--base")!), Option("--client")!, Option("--secret")!, Option("--output"));
}
if (args is ["no-show", ..])
{
    return await NoShowReport.RunAsync(Option("--output"));
}
var data = Option("--data") ?? SharedSeries();
if (data is null)
{
    Console.Error.WriteLine("No daily series: name one with --data CSV (date,count), or put shared/data/series/uihc_ed_daily.csv beside the repository.");
    return 1;
}
var days = LoadSeries.Read(data);
var report = new StringBuilder();
Line("# Forecasts: accuracy and cost");
Line();
Line($"`{Path.GetFileName(data)}`, {days.Values.Length} days to {days.End.AddDays(-1):yyyy-MM-dd}. Origins every 14 days through a year, 28 days ahead; MASE against repeating the last week, within the 728 days before the origin. Coverage of the nominal 80 and 95 % intervals over all 28 days, and over the sums of the four weeks (a hundred of them, half overlapping: ± 8). The thinned series keep each visit with the same chance; our draws, not those of other publications.");
foreach (var (yearsBack, title) in new[] { (0, "Last year"), (1, "The year before: seen once, when the mix was chosen") })
{
    Line();
    Line($"## {title}");
    foreach (var series in LoadSeries.FromEmergencyDepartment(days))
    {
        Line();
        Line($"| {series.Name} | MASE days 1–7 | days 1–28 | days inside 80 % | inside 95 % | weeks inside 80 % | inside 95 % |");
        Line("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var row in RollingOrigin.Measure(series, yearsBack))
        {
            Line($"| {row.Method} | {row.Week:F3} | {row.Month:F3} | {Percent(row.Covered80)} | {Percent(row.Covered95)} | {Percent(row.Weeks80)} | {Percent(row.Weeks95)} |");
        }
    }
}
if (!args.Contains("--no-times"))
{
    Line();
    Line("## Time, one core");
    Line();
    Line("| what | aim, under | processor time | on the clock, busy machine or not |");
    Line("| --- | --- | --- | --- |");
    foreach (var (what, aim, cost) in Timings.Measure(days))
    {
        Line($"| {what} | {aim} | {Time(cost.Processor)} | {Time(cost.Elapsed)} |");
    }
}
if (Option("--output") is { } output && output != "none")
{
    await File.WriteAllTextAsync(output, report.ToString());
}
return 0;

void Line(string text = "")
{
    Console.WriteLine(text);
    report.Append(text).Append('\n');
}

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

static string Time(double milliseconds) => milliseconds < 10_000 ? $"{milliseconds:F1} ms" : $"{milliseconds / 1000:F1} s";

static string Percent(double? share) => share is { } known ? known.ToString("P1", CultureInfo.InvariantCulture) : "–";

static string? SharedSeries()
{
    const string relative = "data/series/uihc_ed_daily.csv";
    if (Environment.GetEnvironmentVariable("FHIR_SHARED") is { Length: > 0 } named)
    {
        return File.Exists(Path.Combine(named, relative)) ? Path.Combine(named, relative) : null;
    }
    for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
    {
        if (File.Exists(Path.Combine(folder.FullName, "shared", relative)))
        {
            return Path.Combine(folder.FullName, "shared", relative);
        }
    }
    return null;
}
