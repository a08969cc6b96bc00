using System.Diagnostics;
using System.Globalization;
using System.Text;
using Forecasting.NoShow;

namespace Forecasts;

/// <summary>
/// The risk of missed visits on made-up clinics whose true chances are known: nobody can be better than who knows them, and nobody should be
/// worse than who always says the usual share.
/// </summary>
internal static class NoShowReport
{
    private static readonly DateTimeOffset Begin = new(2027, 1, 4, 0, 0, 0, TimeSpan.Zero);

    private sealed record Clinic(string Name, Func<int, double, int, double> LogOdds);

    private static readonly Clinic[] Clinics =
    [
        new("log-odds add up", (lead, forgetful, hour) => -3.1 + (0.5 * Math.Log(1 + lead)) + forgetful + (hour < 9 ? 0.3 : 0)),
        new("effects depend on each other", (lead, forgetful, hour) => -2.9 + (lead > 21 && hour < 11 ? 1.6 : 0) + (forgetful > 0.8 ? 0.05 * lead : 0)),
        new("by chance alone", (_, _, _) => -1.8),
    ];

    public static async Task<int> RunAsync(string? output)
    {
        var report = new StringBuilder("# Risk of missed visits\n\nThree made-up clinics of 20,000 visits in two years, 2,000 patients each with a leaning of their own. Learned from the first 70 %, calibrated on the next 15 %, measured on the last 15 %. No real visits were at hand that may be used.\n");
        foreach (var clinic in Clinics)
        {
            var (visits, chances) = Draw(clinic, 20_000, 2_000);
            Line(report, $"\n## {clinic.Name}\n\n| says | AUC | Brier score | log loss | calibration error |\n| --- | --- | --- | --- | --- |");
            var later = visits.Zip(chances).TakeLast(visits.Count * 15 / 100).ToList();
            var usual = visits.Take(visits.Count * 85 / 100).Average(visit => visit.Missed ? 1.0 : 0);
            Row(report, "the usual share, always", Reliability.Of([.. later.Select(pair => (usual, pair.First.Missed))], usual));
            Row(report, "logistic regression", NoShowTrainer.Measure(visits, LogisticRegression.Train));
            Row(report, "boosted trees", NoShowTrainer.Measure(visits, BoostedTrees.Train));
            Row(report, "who knows the true chances", Reliability.Of([.. later.Select(pair => (pair.Second, pair.First.Missed))], usual));
            var model = NoShowTrainer.Train(visits, 1, Begin);
            Line(report, $"\n{(model.IsServing ? $"In use: {model.Scorer!.Name}." : $"Not used. {model.Refused}")}");
            if (model.IsServing)
            {
                Line(report, $"\n| tenth of the visits | said | happened |\n| --- | --- | --- |");
                foreach (var (index, bin) in model.Reliability!.Bins.Index())
                {
                    Line(report, $"| {index + 1} | {bin.Said:P1} | {bin.Happened:P1} |");
                }
            }
        }
        var (many, _) = Draw(Clinics[0], 40_000, 2_000);
        var (begin, busy) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        NoShowTrainer.Train(many, 1, Begin);
        Line(report, $"\nTraining on 40,000 visits, both methods, measured and trained again: {(Environment.CpuUsage.TotalTime - busy).TotalSeconds:F1} s of one core ({Stopwatch.GetElapsedTime(begin).TotalSeconds:F1} s on the clock, busy machine or not).");
        Console.Write(report);
        if (output is not null)
        {
            await File.WriteAllTextAsync(output, report.ToString());
        }
        return 0;
    }

    private static (List<DecidedVisit> Visits, List<double> Chances) Draw(Clinic clinic, int count, int patients)
    {
#pragma warning disable CA5394 // no secret: the same clinic on every run is the point
        var random = new Random(1);
        var leanings = Enumerable.Range(0, patients).Select(_ => random.Next(6) == 0 ? 1.5 : -0.3 + (0.6 * random.NextDouble())).ToArray();
        var (visits, chances) = (new List<DecidedVisit>(count), new List<double>(count));
        for (var i = 0; i < count; i++)
        {
            var (patient, hour) = (random.Next(patients), 8 + random.Next(9));
            var start = Begin.AddDays(i * 728L / count).AddHours(hour);
            var lead = random.Next(4) == 0 ? 0 : random.Next(60);
            var chance = 1 / (1 + Math.Exp(-clinic.LogOdds(lead, leanings[patient], hour)));
            visits.Add(new($"p{patient:0000}", start, start.DayOfWeek, hour, lead, i % 3 == 0 ? "a" : "b", 0, random.NextDouble() < chance));
            chances.Add(chance);
        }
#pragma warning restore CA5394
        var sorted = visits.Zip(chances).OrderBy(pair => pair.First.Start).ToList();
        return ([.. sorted.Select(pair => pair.First)], [.. sorted.Select(pair => pair.Second)]);
    }

    private static void Row(StringBuilder report, string who, Reliability of) =>
        Line(report, $"| {who} | {of.Auc:F3} | {of.Brier:F4} | {of.LogLoss:F4} | {of.CalibrationError:F3} |");

    private static void Line(StringBuilder report, FormattableString text) => report.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
