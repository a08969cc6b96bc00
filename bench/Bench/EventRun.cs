using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Bench;

/// <summary>
/// What telling costs: how soon a subscriber hears of a commit, and what booking loses where every booking is told to a subscriber, and to
/// its patient by SMS.
/// </summary>
internal static class EventRun
{
    public const string Notify = "notify";
    public const string BookingEvents = "booking-events";
    public const string BookingHooks = "booking-hooks";
    public const string BookingMessages = "booking-messages";

    /// <summary>What is measured here, by the names of <c>--only</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [Notify, BookingEvents, BookingHooks, BookingMessages];

    private const int Slices = 5;
    private const int EventsPerSecond = 500;
    private const int WarmUpBookings = DataSet.Schedules * DataSet.SlotsOfASchedule;

    /// <summary>Some four seconds: what steps back is to come to its turn before a slice is over.</summary>
    private const int SliceBookings = 6_000;

    private const int BookingSlices = 20;
    private const int SlotsOfASchedule = (WarmUpBookings + (BookingSlices * SliceBookings)) / DataSet.Schedules;
    private static readonly TimeSpan WarmUpTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Neither reminders nor subscriptions: what the others are compared with.</summary>
    private static readonly KeyValuePair<string, string>[] Silent = [new("Server__Roles", "api,worker"), new("Reminders__Enabled", "false")];

    public static async Task RunAsync(BenchSettings settings, string file, DataSet data, string directory, Report report)
    {
        report.Begin("Events");
        var folder = Path.Combine(directory, "events");
        await DataSet.WriteMoreSlotsAsync(file, SlotsOfASchedule); // on one core it takes some twenty thousand bookings until all that telling runs through is compiled
        await BenchServer.ImportAsync(settings, EngineChoice.RocksDb, file, folder, $"{settings.ServerCore}");
        foreach (var (name, subscribers, patients) in new[] { (BookingHooks, true, false), (BookingMessages, false, true), (BookingEvents, true, true) })
        {
            if (settings.Measures(name))
            {
                var copies = Directory.CreateDirectory(Path.Combine(directory, name)).FullName;
                Copy(folder, Path.Combine(copies, "telling"));
                Copy(folder, Path.Combine(copies, "silent"));
                await CompareAsync(settings, data, copies, subscribers, patients, report);
                Directory.Delete(copies, recursive: true);
            }
        }
        if (settings.Measures(Notify))
        {
            await ListenAsync(settings, folder, report);
        }
    }

    private static KeyValuePair<string, string>[] Telling(Receiver receiver) =>
    [
        new("Server__Roles", "api,worker,subscriptions"), new("Subscriptions__AllowedPrivateEndpoints__0", $"127.0.0.1:{receiver.Port}"),
        new("Twilio__BaseUrl", $"http://127.0.0.1:{receiver.Port}/"), new("Twilio__AccountSid", "AC00000000000000000000000000000001"), new("Twilio__AuthToken", "bench"), new("Twilio__From", "+15550100"),
        new("Reminders__QuietHours", ""), new("Reminders__SmsPerDay", "0"), new("Reminders__SmsPerWeek", "0"),
    ];

    /// <summary>At an even rate, far below what the server could take: the age of events when they arrive.</summary>
    private static async Task ListenAsync(BenchSettings settings, string folder, Report report)
    {
        using var receiver = new Receiver { KeepsAges = true };
        await using var server = BenchServer.Start(settings, EngineChoice.RocksDb, folder, $"{settings.ServerCore}", [.. Telling(receiver), new("Reminders__Enabled", "false")]);
        await server.UntilReadyAsync("/health/ready");
        var http = new HttpText(server.Port, await BenchServer.TokenAsync(server));
        var requests = Enumerable.Range(0, DataSet.Schedules).Select(doctor => http.Post("/fhir/Appointment", Proposal(doctor))).ToArray();
        var one = await SubscribeAsync(server, http, receiver, "full-resource", null);
        await MeasureAsync("to one subscriber of all, whole resources");
        await BenchServer.AskAsync(server, http.Delete($"/fhir/{one}"));
        for (var doctor = 0; doctor < DataSet.Schedules; doctor++)
        {
            await SubscribeAsync(server, http, receiver, "id-only", $"Appointment?practitioner=Practitioner/doctor-{doctor}");
        }
        await MeasureAsync($"to {DataSet.Schedules} subscribers of one practitioner each, ids");

        async Task MeasureAsync(string what)
        {
            var before = receiver.Events;
            var warmed = await PaceAsync(server, requests, WarmUpTime);
            await UntilAsync(() => receiver.Events - before >= warmed);
            receiver.TakeAges();
            var (middle, late, busy) = (new List<double>(), new List<double>(), new List<double>());
            for (var slice = 0; slice < Slices; slice++)
            {
                var (told, cpu) = (receiver.Events, server.CpuSeconds);
                var sent = await PaceAsync(server, requests, settings.Measure);
                busy.Add((server.CpuSeconds - cpu) / settings.Measure.TotalSeconds);
                await UntilAsync(() => receiver.Events - told >= sent);
                var ages = receiver.TakeAges();
                middle.Add(ages[ages.Length / 2]);
                late.Add(ages[(int)(ages.Length * 0.99)]);
            }
            report.Add(string.Create(CultureInfo.InvariantCulture,
                $"commit to rest-hook, {EventsPerSecond} events/s {what}: p50 {LoadResult.Median(middle):0} ms, p99 {LoadResult.Median(late):0} ms (slices {string.Join(", ", late.Select(ms => ms.ToString("0", CultureInfo.InvariantCulture)))}; aim 100), {LoadResult.Median(busy):P0} of the core"));
            Console.WriteLine(report.LastNote);
        }
    }

    /// <summary>By turns on the same core, now the one first and now the other, which stands still meanwhile; the server that tells has told everything before the other has its turn.</summary>
    /// <param name="folder">With the folders <c>telling</c> and <c>silent</c>, which hold the same.</param>
    private static async Task CompareAsync(BenchSettings settings, DataSet data, string folder, bool subscribers, bool patients, Report report)
    {
        using var receiver = new Receiver();
        await using var silent = BenchServer.Start(settings, EngineChoice.RocksDb, Path.Combine(folder, "silent"), $"{settings.ServerCore}", Silent);
        await silent.UntilReadyAsync("/health/ready");
        await using var telling = BenchServer.Start(settings, EngineChoice.RocksDb, Path.Combine(folder, "telling"), $"{settings.ServerCore}", [.. Telling(receiver), new("Reminders__Enabled", patients ? "true" : "false")]);
        await telling.UntilReadyAsync("/health/ready");
        var (withHttp, withoutHttp) = (new HttpText(telling.Port, await BenchServer.TokenAsync(telling)), new HttpText(silent.Port, await BenchServer.TokenAsync(silent)));
        for (var doctor = 0; subscribers && doctor < DataSet.Schedules; doctor++)
        {
            await SubscribeAsync(telling, withHttp, receiver, "id-only", $"Appointment?practitioner=Practitioner/doctor-{doctor}");
        }
        var (with, without) = (Operations.Bookings(data, withHttp, SlotsOfASchedule), Operations.Bookings(data, withoutHttp, SlotsOfASchedule));
        var next = 0;
        await SliceAsync(WarmUpBookings, silentFirst: false);
        var (events, notifications, messages) = (receiver.Events, receiver.Notifications, receiver.Messages);
        var slices = new List<(LoadResult With, LoadResult Without, double Cpu, double Behind, double Meanwhile)>();
        for (var slice = 0; slice < BookingSlices; slice++)
        {
            slices.Add(await SliceAsync(SliceBookings, silentFirst: slice % 2 == 1));
            var (one, other) = (slices[^1].With, slices[^1].Without);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {one.PerSecond:N0}/s of {other.PerSecond:N0}/s, {1e6 * one.Cpu / one.Requests:0} and {1e6 * other.Cpu / other.Requests:0} µs"));
        }
        var ratios = slices.ConvertAll(slice => slice.With.PerSecond / slice.Without.PerSecond);
        var (told, untold) = (PerSecond(slices.ConvertAll(slice => slice.With)), PerSecond(slices.ConvertAll(slice => slice.Without)));
        report.Add(string.Create(CultureInfo.InvariantCulture,
            $"`$book`, each told {(subscribers ? "to a subscriber" : "")}{(subscribers && patients ? " and " : "")}{(patients ? "by SMS" : "")}: {told:N0}/s over all slices, p99 {LoadResult.Median(slices.Select(slice => slice.With.P99Microseconds)) / 1000:0} ms; told to nobody: {untold:N0}/s, p99 {LoadResult.Median(slices.Select(slice => slice.Without.P99Microseconds)) / 1000:0} ms; ratio {told / untold:0.00} (aim 0.85), {LoadResult.Median(ratios):0.00} in the middle slice of {string.Join(", ", ratios.Select(ratio => ratio.ToString("0.00", CultureInfo.InvariantCulture)))}"));
        Console.WriteLine(report.LastNote);
        report.Add(string.Create(CultureInfo.InvariantCulture,
            $"the same in CPU time, until everything was told: {LoadResult.Median(slices.Select(slice => slice.Cpu)):0} µs a booking against {LoadResult.Median(slices.Select(slice => 1e6 * slice.Without.Cpu / slice.Without.Requests)):0} µs; {LoadResult.Median(slices.Select(slice => slice.Meanwhile)):P0} told meanwhile, all {LoadResult.Median(slices.Select(slice => slice.Behind)):0.0} s after the last of {SliceBookings:N0} bookings; {receiver.Events - events:N0} events in {receiver.Notifications - notifications:N0} notifications, {receiver.Messages - messages:N0} SMS, {receiver.LookedFor:N0} of them looked for first"));
        Console.WriteLine(report.LastNote);

        async Task<(LoadResult With, LoadResult Without, double Cpu, double Behind, double Meanwhile)> SliceAsync(int count, bool silentFirst)
        {
            var (part, same) = (new Once(with.GetRange(next, count)), new Once(without.GetRange(next, count)));
            next += count;
            var before = silentFirst ? await BookSilentlyAsync(same, count) : null;
            LoadResult told;
            double cpu, meanwhile, behind;
            await using (await silent.PauseAsync())
            {
                await UntilQuietAsync(telling);
                var (eventsBefore, messagesBefore) = (receiver.Events, receiver.Messages);
                cpu = telling.CpuSeconds;
                told = await BookAsync(telling, part, count);
                var over = Stopwatch.GetTimestamp();
                meanwhile = Math.Max(receiver.Events - eventsBefore, receiver.Messages - messagesBefore) / (double)count;
                // A claim that is too old by the time of its sending is put back for minutes.
                await UntilAsync(() => (!subscribers || receiver.Events - eventsBefore >= count) && (!patients || receiver.Messages - messagesBefore >= count * 99 / 100));
                behind = Stopwatch.GetElapsedTime(over).TotalSeconds;
                cpu = telling.CpuSeconds - cpu;
            }
            return (told, before ?? await BookSilentlyAsync(same, count), 1e6 * cpu / count, behind, meanwhile);
        }

        async Task<LoadResult> BookSilentlyAsync(Once requests, int count)
        {
            await using (await telling.PauseAsync())
            {
                await UntilQuietAsync(silent);
                return await BookAsync(silent, requests, count);
            }
        }

        async Task<LoadResult> BookAsync(PinnedProcess server, Once requests, int count) =>
            Booked(await Load.RunAsync([server], settings.Connections, null, _ => requests.Source()), count);
    }

    /// <summary>What was left to do is no cost of what comes next: until for two seconds hardly anything was done.</summary>
    private static async Task UntilQuietAsync(PinnedProcess server)
    {
        const double Quiet = 0.08;
        for (var (began, calm) = (Stopwatch.GetTimestamp(), 0); calm < 2 && Stopwatch.GetElapsedTime(began) < Patience;)
        {
            var (cpu, from) = (server.CpuSeconds, Stopwatch.GetTimestamp());
            await Task.Delay(1_000);
            calm = (server.CpuSeconds - cpu) / Stopwatch.GetElapsedTime(from).TotalSeconds < Quiet ? calm + 1 : 0;
        }
    }

    /// <summary>All requests by all of the time: in one slice the engine sorts what others have written.</summary>
    private static double PerSecond(List<LoadResult> slices) => slices.Sum(slice => (double)slice.Requests) / slices.Sum(slice => slice.Seconds);

    private static LoadResult Booked(LoadResult result, int count) => result.Statuses.GetValueOrDefault(201) == count
        ? result
        : throw new BenchException($"Not every slot was booked: {string.Join(", ", result.Statuses.Select(pair => $"{pair.Value} × {pair.Key}"))}");

    /// <summary>Sends at the rate, however long the answers take.</summary>
    /// <returns>How many were sent.</returns>
    private static async Task<int> PaceAsync(PinnedProcess server, byte[][] requests, TimeSpan time)
    {
        const int Connections = 32;
        var (count, began) = ((int)(time.TotalSeconds * EventsPerSecond), Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(first => Task.Run(async () =>
        {
            using var connection = new RawConnection();
            await connection.ConnectAsync(server.Port);
            for (var i = first; i < count; i += Connections)
            {
                var early = TimeSpan.FromSeconds((double)i / EventsPerSecond) - Stopwatch.GetElapsedTime(began);
                if (early > TimeSpan.Zero)
                {
                    await Task.Delay(early);
                }
                var (status, _) = await connection.ExchangeAsync(requests[i % requests.Length], keepBody: false);
                if (status != 201)
                {
                    throw new BenchException($"An appointment was not taken: {status}");
                }
            }
        })));
        return count;
    }

    private static string Proposal(int doctor) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"resourceType":"Appointment","status":"proposed","comment":"A wish, not a booking.","participant":[{"actor":{"reference":"Patient/patient-{{doctor}}"},"status":"accepted"},{"actor":{"reference":"Practitioner/doctor-{{doctor}}"},"status":"needs-action"}]}""");

    /// <returns><c>Subscription/id</c>, once it is active.</returns>
    private static async Task<string> SubscribeAsync(PinnedProcess server, HttpText http, Receiver receiver, string content, string? filter)
    {
        const string Extension = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-";
        var subscription = new JsonObject
        {
            ["resourceType"] = "Subscription",
            ["status"] = "requested",
            ["reason"] = "Benchmark",
            ["criteria"] = "urn:fhir-server:topic:appointment",
            ["channel"] = new JsonObject
            {
                ["type"] = "rest-hook",
                ["endpoint"] = $"http://127.0.0.1:{receiver.Port}/hook/{Guid.NewGuid():N}",
                ["payload"] = "application/fhir+json",
                ["_payload"] = new JsonObject { ["extension"] = new JsonArray(new JsonObject { ["url"] = Extension + "payload-content", ["valueCode"] = content }) },
            },
        };
        if (filter is not null)
        {
            subscription["_criteria"] = new JsonObject { ["extension"] = new JsonArray(new JsonObject { ["url"] = Extension + "filter-criteria", ["valueString"] = filter }) };
        }
        var (status, body) = await BenchServer.AskAsync(server, http.Post("/fhir/Subscription", subscription.ToJsonString()));
        if (status != 201)
        {
            throw new BenchException($"No subscription: {status} {Encoding.UTF8.GetString(body)}");
        }
        var reference = $"Subscription/{(string?)JsonNode.Parse(body)!["id"]}";
        await UntilAsync(async () => (string?)JsonNode.Parse((await BenchServer.AskAsync(server, http.Get($"/fhir/{reference}"))).Body)!["status"] == "active");
        return reference;
    }

    private static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
            {
                throw new BenchException("What was to be told has not come.");
            }
            await Task.Delay(10);
        }
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }
}
