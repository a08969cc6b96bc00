using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Conformance.Tests;

namespace FhirServer.Tests.Demo;

/// <summary>docs/forecasting.md on a demo of its own with a short past, as a manager would try it.</summary>
public sealed partial class ForecastGuideTests
{
    private const int Weeks = 12;

    [Fact]
    public async Task Guide_EveryCommand_ShowsNextMonthByDoctor()
    {
        Assert.SkipUnless(ShellBlocks.CanRun("sh") && ShellBlocks.CanRun("curl"), "The guide needs sh and curl.");
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("fhir-forecast-guide-").FullName;
        try
        {
            await using var server = await RunningServer.StartAsync(Path.Combine(folder, "data"), ["--demo", $"--Demo:HistoryWeeks={Weeks}"], [], ct);
            await UntilAsync(server, () => server.Output.Contains($"Demo: {Weeks} weeks of past visits", StringComparison.Ordinal), ct);
            using (var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }))
            {
                while (await WaitingAsync(http, server, ct))
                {
                    await Task.Delay(50, ct);
                }
            }
            var client = DemoServer.Credentials().Match(server.Output);
            var script = new StringBuilder("set -eu\n").AppendJoin("", await ShellBlocks.ReadAsync(Path.Combine(RunningServer.RepositoryRoot, "docs", "forecasting.md"), ct)).Append("echo 'The guide is over.'\n");

            var (exitCode, output) = await ShellBlocks.RunAsync(script.ToString(), folder, server.Base.ToString().TrimEnd('/'), client.Groups[1].Value, client.Groups[2].Value, ct);

            Assert.True(exitCode == 0, $"The guide ended with {exitCode}:\n{output}");
            Assert.Contains("The guide is over.", output, StringComparison.Ordinal);
            Assert.Contains("mix of weekday mean, 8 weeks", output, StringComparison.Ordinal);
            Assert.Contains("There is no estimate of the risk of missed visits yet", output, StringComparison.Ordinal);
            Assert.Equal(12, XDocument.Load(Path.Combine(folder, "month.svg")).Root!.Elements().Count(element => element.Name.LocalName == "g"));
            var rows = (await File.ReadAllLinesAsync(Path.Combine(folder, "month.csv"), ct)).Skip(1).ToList();
            Assert.Equal(12 * 28, rows.Count);
            Assert.True(rows.Where(row => row.StartsWith("Practitioner/demo-practitioner-01,", StringComparison.Ordinal)).Sum(row => double.Parse(row.Split(',')[6], null)) > 100, "A full doctor's month is more than a hundred visits.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<bool> WaitingAsync(HttpClient http, RunningServer server, CancellationToken ct)
    {
        var metrics = await http.GetStringAsync(new Uri(server.Base, "/metrics"), ct);
        var counted = Counted().Match(metrics);
        return !counted.Success || int.Parse(counted.Groups[1].Value, null) < Weeks * 250; // about 350 a week
    }

    private static async Task UntilAsync(RunningServer server, Func<bool> isSo, CancellationToken ct)
    {
        while (!isSo())
        {
            Assert.False(server.HasExited, server.Output);
            await Task.Delay(100, ct);
        }
    }

    [GeneratedRegex("fhir_forecast_counted_total{by=\"event\"} ([0-9]+)")]
    private static partial Regex Counted();
}
