using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Bench;

/// <summary>The whole measurement, from an empty folder to the table. Children are ended by their ids, the folder is removed.</summary>
internal static class BenchRun
{
    private const int Slices = 5;

    /// <summary>The embedded engine puts together what the import has left once it has been calm for a while: a clinic's server has had its nights.</summary>
    private static readonly TimeSpan UntilSorted = TimeSpan.FromSeconds(25);

    public static async Task<int> RunAsync(BenchSettings settings)
    {
        if (!OperatingSystem.IsLinux() || Environment.ProcessorCount < 2)
        {
            throw new BenchException("The benchmark needs Linux (taskset, /proc) and two cores.");
        }
        Process.GetCurrentProcess().ProcessorAffinity = 1 << settings.LoadCore;
        var directory = Directory.CreateTempSubdirectory("fhir-bench-").FullName;
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
        var (data, report) = (new DataSet(settings.Patients), new Report());
        var file = Path.Combine(directory, "data.ndjson");
        await data.WriteAsync(file);
        var failed = false;
        if (settings.Events)
        {
            await EventRun.RunAsync(settings, file, data, directory, report);
        }
        else
        {
            failed = await PassesAsync(settings, data, file, directory, report);
        }
        await report.WriteAsync(settings, Console.Out);
        if (settings.Output is { } output)
        {
            await using var writer = new StreamWriter(output) { NewLine = "\n" };
            await report.WriteAsync(settings, writer);
        }
        return failed ? 1 : 0;
    }

    private static async Task<bool> PassesAsync(BenchSettings settings, DataSet data, string file, string directory, Report report)
    {
        await using var bare = PinnedProcess.Start(
            $"{settings.ServerCore}", PinnedProcess.FreePort() is var port ? port : 0,
            ["dotnet", Environment.ProcessPath is { } self && !Path.GetFileNameWithoutExtension(self).Equals("dotnet", StringComparison.Ordinal) ? Path.ChangeExtension(self, ".dll") : typeof(BenchRun).Assembly.Location, "bare", port.ToString(CultureInfo.InvariantCulture)],
            []);
        await bare.UntilReadyAsync("/");

        report.Add("start to ready, empty", await MedianStartAsync(settings, i => Path.Combine(directory, $"empty-{i}")));
        var failed = await PassAsync(settings, EngineChoice.RocksDb, data, file, Path.Combine(directory, "rocksdb"), bare, report);
        if (settings.MongoDb is { } uri)
        {
            failed |= await PassAsync(settings, EngineChoice.MongoDb(uri, $"bench_{Guid.NewGuid():N}"), data, file, Path.Combine(directory, "mongodb"), bare, report);
        }
        return failed;
    }

    /// <returns>True where an answer was not what it must be.</returns>
    private static async Task<bool> PassAsync(BenchSettings settings, EngineChoice engine, DataSet data, string file, string folder, PinnedProcess bare, Report report)
    {
        report.Begin(engine.Name);
        var lines = File.ReadLines(file).Count();
        var took = await BenchServer.ImportAsync(settings, engine, file, folder, $"{settings.ServerCore}");
        report.Add(string.Create(CultureInfo.InvariantCulture, $"import of {lines:N0} resources: {took:0.0} s, {lines / took:N0}/s"));
        if (engine == EngineChoice.RocksDb)
        {
            report.Add("start to ready, data set loaded", await MedianStartAsync(settings, _ => folder));
        }
        await using var server = BenchServer.Start(settings, engine, folder, $"{settings.ServerCore}");
        await server.UntilReadyAsync("/health/ready");
        report.Add("memory, data set loaded, before the first request", server.Megabytes("VmRSS"));
        if (engine == EngineChoice.RocksDb)
        {
            await Task.Delay(UntilSorted);
        }
        var http = new HttpText(server.Port, await BenchServer.TokenAsync(server));
        var failed = false;
        foreach (var operation in Operations.All(data, http).Where(operation => settings.Measures(operation.Name)))
        {
            var measured = await MeasureAsync(settings, server, bare, operation);
            report.Add(operation, measured);
            Console.WriteLine(report.LastLine);
            if (measured.Server.Statuses.Keys.Except(operation.Expected).Any())
            {
                failed = true;
                Console.Error.WriteLine($"{operation.Name}: unexpected answers: {string.Join(", ", measured.Server.Statuses.Select(pair => $"{pair.Value} × {pair.Key}"))}");
            }
            if (operation.Name == "slots")
            {
                report.Add("memory after the reads and searches", server.Megabytes("VmRSS"));
            }
            if (operation.Name == "fight")
            {
                failed |= !await NoDoubleBookingAsync(server, http, measured.Server, report);
            }
        }
        report.Add("memory at its highest", server.Megabytes("VmHWM"));
        return failed;
    }

    private static async Task<Measured> MeasureAsync(BenchSettings settings, PinnedProcess server, PinnedProcess bare, Operation operation)
    {
        var (status, body) = await BenchServer.AskAsync(server, operation.Sample);
        if (!operation.Expected.Contains(status))
        {
            throw new BenchException($"{operation.Name}: {status} {Encoding.UTF8.GetString(body)}");
        }
        if (!operation.Finite)
        {
            await WarmUp.RunAsync([server], settings.Connections, operation.Source);
        }
        else if (operation.Name == "book")
        {
            await Load.RunAsync([server], settings.Connections, settings.Measure / 4, operation.Source);
        }
        var path = $"/{operation.Name}";
        await PutAsync(bare, path, status, body);
        byte[][] same = [HttpText.Retarget(operation.Sample, path)];
        await WarmUp.RunAsync([bare], settings.Connections, _ => new Cycle(same, 0));

        // By turns, so that a machine that is slower for a while is so for both.
        var whole = operation.Name == "fight";
        var (onServer, onBare) = (new List<LoadResult>(), new List<LoadResult>());
        for (var slice = 0; slice < (whole ? 1 : Slices); slice++)
        {
            onServer.Add(await Load.RunAsync([server], settings.Connections, whole ? null : settings.Measure / Slices, operation.Source));
            onBare.Add(await Load.RunAsync([bare], settings.Connections, settings.Measure / Slices, _ => new Cycle(same, 0)));
        }
        return new(LoadResult.Of(onServer), LoadResult.Of(onBare), LoadResult.Median(onServer.Zip(onBare, (ours, theirs) => ours.PerCpuSecond / theirs.PerCpuSecond)), body.Length);
    }

    /// <summary>Every slot went to one client, and the calendar says so too.</summary>
    private static async Task<bool> NoDoubleBookingAsync(PinnedProcess server, HttpText http, LoadResult result, Report report)
    {
        const int Slots = DataSet.FightRounds * DataSet.FightSlots;
        var stored = 0;
        for (var schedule = DataSet.Schedules; schedule < DataSet.Schedules + DataSet.FightRounds; schedule++)
        {
            var (_, body) = await BenchServer.AskAsync(server, http.Get($"/fhir/Appointment?practitioner=Practitioner/doctor-{schedule}&status=booked&_summary=count"));
            stored += (int?)JsonNode.Parse(body)!["total"] ?? 0;
        }
        var created = result.Statuses.GetValueOrDefault(201);
        report.Add($"fought-over slots: {Slots}; bookings acknowledged: {created}; appointments stored: {stored}");
        return created == Slots && stored == Slots;
    }

    private static async Task<TimeSpan> MedianStartAsync(BenchSettings settings, Func<int, string> folderOf)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < 3; i++)
        {
            var took = Stopwatch.StartNew();
            await using var server = BenchServer.Start(settings, EngineChoice.RocksDb, folderOf(i), $"{settings.ServerCore}");
            await server.UntilReadyAsync("/health/ready");
            times.Add(took.Elapsed);
        }
        times.Sort();
        return times[1];
    }

    private static async Task PutAsync(PinnedProcess bare, string path, int status, byte[] body)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, $"http://127.0.0.1:{bare.Port}{path}") { Content = new ByteArrayContent(body) };
        request.Headers.Add("X-Status", status.ToString(CultureInfo.InvariantCulture));
        using var response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }
}
