using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Forecasts;

/// <summary>
/// What reads feel while everything is counted again beside them in the same process: a hundred reads a second, each timed from when it was
/// due, on a demo that runs already. The cause of the recount is another zone of the same clock, so that nothing changes for it.
/// </summary>
internal static class ReadsBeside
{
    private const int PerSecond = 100;
    private const string Place = "Location/demo-site-berlin";

    public static async Task<int> RunAsync(Uri server, string client, string secret, string? output)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new(server.AbsoluteUri.TrimEnd('/') + "/") };
        var origin = new Uri(server, "/");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(origin, "auth/token"))
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "system/*.cruds")]),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:{secret}")));
        using var token = await http.SendAsync(request);
        token.EnsureSuccessStatusCode();
        http.DefaultRequestHeaders.Authorization = new("Bearer", (string)JsonNode.Parse(await token.Content.ReadAsStringAsync())!["access_token"]!);
        var ids = JsonNode.Parse(await http.GetStringAsync("Patient?_count=200"))!["entry"]!.AsArray().Select(entry => (string)entry!["resource"]!["id"]!).ToArray();

        await ReadAsync(http, ids, TimeSpan.FromSeconds(10), static () => Task.FromResult(false)); // warm
        var alone = await ReadAsync(http, ids, TimeSpan.FromSeconds(30), static () => Task.FromResult(false));
        var counted = await CountedAsync(http, origin);
        var recounts = await MetricAsync(http, origin, "fhir_forecast_recounts_total");
        await MoveAsync(http, "Europe/Vienna");
        var beside = await ReadAsync(http, ids, TimeSpan.FromMinutes(5), async () => await MetricAsync(http, origin, "fhir_forecast_recounts_total") > recounts);
        var done = await CountedAsync(http, origin) - counted;
        await MoveAsync(http, "Europe/Berlin");

        var report = new StringBuilder();
        report.Append(CultureInfo.InvariantCulture, $"| {PerSecond} reads a second | p50 | p99 | longest |\n| --- | --- | --- | --- |\n");
        Row("alone", alone);
        Row(string.Create(CultureInfo.InvariantCulture, $"beside a recount of {done:N0} appointments ({beside.Count / PerSecond} s)"), beside);
        Console.Write(report);
        if (output is not null)
        {
            await File.WriteAllTextAsync(output, report.ToString());
        }
        return 0;

        void Row(string what, List<double> times) => report.Append(CultureInfo.InvariantCulture, $"| {what} | {At(times, 0.5):F1} ms | {At(times, 0.99):F1} ms | {times.Max():F1} ms |\n");
    }

    /// <summary>On time whatever the ones before take, so that a stall is felt by all that fall into it.</summary>
    private static async Task<List<double>> ReadAsync(HttpClient http, string[] ids, TimeSpan atMost, Func<Task<bool>> isOver)
    {
        var reads = new List<Task<double>>();
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; Stopwatch.GetElapsedTime(begin) < atMost && !(i % PerSecond == 0 && i > 0 && await isOver()); i++)
        {
            var due = TimeSpan.FromSeconds((double)i / PerSecond);
            if (due - Stopwatch.GetElapsedTime(begin) is { Ticks: > 0 } early)
            {
                await Task.Delay(early);
            }
            reads.Add(Task.Run(async () =>
            {
                var sent = Stopwatch.GetTimestamp();
                using var answer = await http.GetAsync($"Patient/{ids[i % ids.Length]}");
                answer.EnsureSuccessStatusCode();
                return Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
            }));
        }
        return [.. await Task.WhenAll(reads)];
    }

    private static async Task MoveAsync(HttpClient http, string zone)
    {
        var place = JsonNode.Parse(await http.GetStringAsync(Place))!;
        place["extension"]![0]!["valueCode"] = zone;
        using var answer = await http.PutAsync(Place, new StringContent(place.ToJsonString(), new MediaTypeHeaderValue("application/fhir+json")));
        answer.EnsureSuccessStatusCode();
    }

    private static Task<double> CountedAsync(HttpClient http, Uri origin) => MetricAsync(http, origin, "fhir_forecast_counted_total{by=\"recount\"}");

    private static async Task<double> MetricAsync(HttpClient http, Uri origin, string name)
    {
        var line = (await http.GetStringAsync(new Uri(origin, "metrics"))).Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return double.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }

    private static double At(List<double> times, double share) => times.Order().ElementAt((int)(times.Count * share));
}
