using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using StandIns;

namespace Bench;

/// <summary>
/// Reminders that are all due in one minute: how long until the last one has left, whether each left once, and what that costs. Twilio's
/// stand-in is in this process, on the core of the load.
/// </summary>
internal static class RemindersRun
{
    public const string Name = "reminders";

    /// <summary>Until the visits: nothing else is due meanwhile.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(12);

    private const string ServiceBegins = "{\"resourceType\":\"HealthcareService\",\"id\":\"service\"";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public static async Task<int> RunAsync(BenchSettings settings)
    {
        if (!OperatingSystem.IsLinux() || Environment.ProcessorCount < 2)
        {
            throw new BenchException("The benchmark needs Linux (taskset, /proc) and two cores.");
        }
        Process.GetCurrentProcess().ProcessorAffinity = 1 << settings.LoadCore;
        var directory = Directory.CreateTempSubdirectory("fhir-reminders-").FullName;
        try
        {
            return await RunAsync(settings, directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<int> RunAsync(BenchSettings settings, string directory)
    {
        var (file, folder, count) = (Path.Combine(directory, "data.ndjson"), Path.Combine(directory, "data"), settings.Reminders);
        var start = TimeProvider.System.GetUtcNow() + Ahead;
        start = new(start.UtcTicks - (start.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
        await WriteAsync(file, count, start);
        await BenchServer.ImportAsync(settings, EngineChoice.RocksDb, file, folder, $"{settings.ServerCore}");

        await using var twilio = await TwilioStandIn.StartAsync();
        twilio.Latency = settings.ProviderLatency;
        await using var server = BenchServer.Start(settings, EngineChoice.RocksDb, folder, $"{settings.ServerCore}",
        [
            .. twilio.Settings.Select(setting => new KeyValuePair<string, string>(setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value)),
            new("Reminders__Before__0", "00:05:00"), new("Reminders__QuietHours", ""), new("Reminders__Spacing", "00:00:00"), new("Reminders__ClinicName", "Lindenhof"),
        ]);
        await server.UntilReadyAsync("/health/ready");
        var http = new HttpText(server.Port, await BenchServer.TokenAsync(server));
        var lines = new List<string>();

        var planned = await MeasureAsync(server, () => HasPlannedAllAsync(server));
        lines.Add(Line("plans made after the import", count, planned));

        // The service reminds so long before its visits that all are due in one minute, once all plans are made again.
        var due = Later(TimeProvider.System.GetUtcNow(), (planned.Took * 1.5) + TimeSpan.FromSeconds(30));
        await BenchServer.AskAsync(server, http.Put("/fhir/HealthcareService/service", Service(start - due)));
        lines.Add(Line("plans made again, because their service changed", count, await MeasureAsync(server, () => HasPlannedAllAsync(server))));
        var wait = due - TimeProvider.System.GetUtcNow();
        await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);

        var before = twilio.Count;
        var sent = await MeasureAsync(server, () => Task.FromResult(twilio.Count >= count));
        var fromDue = twilio.Messages[^1].At - due;
        lines.Add(Line("reminders sent", count - before, sent));
        var texts = twilio.Messages;
        var (total, people, distinct) = (texts.Count, texts.Select(sms => sms.To).Distinct().Count(), texts.Select(sms => sms.Body).Distinct().Count());
        var (written, asked) = (0, "");
        var patience = Stopwatch.StartNew();
        while (written < count && patience.Elapsed < TimeSpan.FromMinutes(5))
        {
            await Task.Delay(Pause);
            var (status, body) = await BenchServer.AskAsync(server, http.Get("/fhir/Communication?status=completed&_summary=count"));
            (written, asked) = status == 200 ? ((int?)JsonNode.Parse(body)!["total"] ?? 0, "") : (written, $" (the last question was answered with {status})");
        }
        string[] notes =
        [
            $"from the moment the first was due until the last had left: {fromDue.TotalSeconds:0} s; the minute in which they were due is in it",
            $"messages taken: {total:N0}; people: {people:N0}; different texts (each has a link of its own): {distinct:N0}; Communications: {written:N0}{asked}; the provider was asked {twilio.Lists} times what became of one",
            $"sent before they were due, or not within: {before}",
            $"memory at its highest: {server.Megabytes("VmHWM"):0} MB",
        ];
        await WriteAsync(settings, lines, notes, Console.Out);
        if (settings.Output is { } output)
        {
            await using var writer = new StreamWriter(output) { NewLine = "\n" };
            await WriteAsync(settings, lines, notes, writer);
        }
        return (total, people, distinct, written) == (count, count, count, count) && before == 0 ? 0 : 1;
    }

    private readonly record struct Spent(TimeSpan Took, double Cpu);

    private static async Task<Spent> MeasureAsync(PinnedProcess server, Func<Task<bool>> isDone)
    {
        var (took, cpu) = (Stopwatch.StartNew(), server.CpuSeconds);
        while (!await isDone())
        {
            await Task.Delay(Pause);
        }
        return new(took.Elapsed, server.CpuSeconds - cpu);
    }

    private static string Line(string what, int count, Spent spent) => string.Create(
        CultureInfo.InvariantCulture, $"| {what} | {count:N0} | {spent.Took.TotalSeconds:0.0} | {count / spent.Took.TotalSeconds:N0} | {count / spent.Cpu:N0} | {spent.Cpu / count * 1_000_000:N0} |");

    /// <summary>Nothing that happened waits to be planned.</summary>
    private static async Task<bool> HasPlannedAllAsync(PinnedProcess server)
    {
        using var client = new HttpClient();
        var metrics = await client.GetStringAsync(new Uri($"http://127.0.0.1:{server.Port}/metrics"));
        return metrics.Split('\n').Any(line => line.StartsWith("fhir_event_lag{group=\"reminders\"", StringComparison.Ordinal) && line.EndsWith(" 0", StringComparison.Ordinal));
    }

    private static DateTimeOffset Later(DateTimeOffset now, TimeSpan time)
    {
        var later = now + time;
        return new(later.UtcTicks - (later.UtcTicks % TimeSpan.TicksPerMinute) + TimeSpan.TicksPerMinute, TimeSpan.Zero);
    }

    private static string Service(TimeSpan before)
    {
        var minutes = before.TotalMinutes.ToString("0", CultureInfo.InvariantCulture);
        return ServiceBegins + $$$""","extension":[{"url":"urn:fhir-server:reminders","extension":[{"url":"before","valueDuration":{"value":{{{minutes}}},"code":"min"}}]}]}""";
    }

    private static async Task WriteAsync(string path, int count, DateTimeOffset start)
    {
        await using var file = new StreamWriter(path, append: false, new UTF8Encoding(false), 1 << 16) { NewLine = "\n" };
        await file.WriteLineAsync(ServiceBegins + "}");
        for (var i = 0; i < count; i++)
        {
            await file.WriteLineAsync($$"""{"resourceType":"Patient","id":"p{{i}}","name":[{"family":"Mann{{i}}","given":["Anna"]}],"telecom":[{"system":"sms","value":"+4915{{i:00000000}}"}]}""");
        }
        for (var i = 0; i < count; i++)
        {
            var begins = start.AddSeconds(i % 60);
            await file.WriteLineAsync($$"""
                {"resourceType":"Appointment","id":"a{{i}}","status":"booked","start":"{{begins:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{begins.AddMinutes(20):yyyy-MM-ddTHH:mm:ssZ}}","participant":[{"actor":{"reference":"Patient/p{{i}}"},"status":"accepted"},{"actor":{"reference":"HealthcareService/service"},"status":"accepted"}]}
                """);
        }
    }

    private static async Task WriteAsync(BenchSettings settings, IEnumerable<string> lines, IEnumerable<string> notes, TextWriter to)
    {
        await to.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"""
            # Reminders due in one minute

            {TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Report.Cpu()}, {Environment.Version}, {RuntimeInformation.OSDescription}. One server process pinned to one core (RocksDB, synced writes, encryption on); Twilio's stand-in on another, which takes {settings.ProviderLatency.TotalMilliseconds:0} ms over each message.

            | what | how many | s | per s | per CPU-second of the server | CPU µs each |
            | --- | --: | --: | --: | --: | --: |
            """));
        foreach (var line in lines)
        {
            await to.WriteLineAsync(line);
        }
        await to.WriteLineAsync();
        foreach (var note in notes)
        {
            await to.WriteLineAsync($"- {note}");
        }
    }
}
