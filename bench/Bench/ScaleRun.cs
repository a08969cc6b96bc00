using System.Globalization;

namespace Bench;

/// <summary>
/// How throughput grows from one server process to two on one MongoDB, with and without Redis. Nothing is pinned but what is left
/// over: database, cache, servers and load share the machine, so growth ends where its cores do; requests per CPU-second of the
/// servers tell what a process costs however many there are.
/// </summary>
internal static class ScaleRun
{
    private static readonly string[] Measured = ["read", "slots", "create", "book"];

    public static async Task<int> RunAsync(BenchSettings settings)
    {
        if (settings.MongoDb is not { } uri)
        {
            throw new BenchException("--processes needs --mongodb URI: processes share a database.");
        }
        var directory = Directory.CreateTempSubdirectory("fhir-scale-").FullName;
        try
        {
            var data = new DataSet(settings.Patients);
            var file = Path.Combine(directory, "data.ndjson");
            await data.WriteAsync(file);
            var lines = new List<string>();
            foreach (var redis in settings.Redis is null ? [null] : new[] { null, settings.Redis })
            {
                foreach (var processes in new[] { 1, 2 })
                {
                    lines.AddRange(await MeasureAsync(settings, EngineChoice.MongoDb(uri, $"bench_{Guid.NewGuid():N}"), redis, processes, data, file, Path.Combine(directory, $"{processes}-{redis is not null}")));
                }
            }
            await WriteAsync(settings, lines, Console.Out);
            if (settings.Output is { } output)
            {
                await using var writer = new StreamWriter(output) { NewLine = "\n" };
                await WriteAsync(settings, lines, writer);
            }
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<List<string>> MeasureAsync(
        BenchSettings settings, EngineChoice engine, string? redis, int processes, DataSet data, string file, string folder)
    {
        var all = $"0-{Environment.ProcessorCount - 1}";
        await BenchServer.ImportAsync(settings, engine, file, Path.Combine(folder, "0"), all);
        var servers = new List<PinnedProcess>();
        try
        {
            for (var i = 0; i < processes; i++)
            {
                servers.Add(BenchServer.Start(settings, engine, Path.Combine(folder, $"{i}"), all,
                [
                    new("Keys__File__Path", Path.Combine(folder, "0", "keys", "master.key")),
                    .. servers is [var front, ..] ? [new("Server__BaseUrl", $"http://127.0.0.1:{front.Port}/fhir")] : Array.Empty<KeyValuePair<string, string>>(), // tokens are for one address
                    .. redis is null ? [] : new KeyValuePair<string, string>[] { new("Cache__Provider", "Redis"), new("Cache__Redis__Configuration", redis) },
                ]));
                await servers[^1].UntilReadyAsync("/health/ready");
            }
            var http = new HttpText(servers[0].Port, await BenchServer.TokenAsync(servers[0]));
            var rows = new List<string>();
            foreach (var operation in Operations.All(data, http).Where(o => settings.Only.Count == 0 ? Measured.Contains(o.Name) : settings.Only.Contains(o.Name)))
            {
                await WarmUp.RunAsync(servers, settings.Connections, operation.Source);
                var result = await Load.RunAsync(servers, settings.Connections, settings.Measure, operation.Source);
                var wrong = result.Statuses.Keys.Except(operation.Expected).ToArray();
                if (wrong.Length > 0)
                {
                    throw new BenchException($"{operation.Name}: unexpected answers: {string.Join(", ", result.Statuses.Select(pair => $"{pair.Value} × {pair.Key}"))}");
                }
                rows.Add(string.Create(CultureInfo.InvariantCulture,
                    $"| {operation.Title} | {(redis is null ? "in process" : "Redis")} | {processes} | {result.PerSecond:N0} | {result.PerCpuSecond:N0} | {result.P50Microseconds / 1000:0.0} | {result.P99Microseconds / 1000:0.0} |"));
                Console.WriteLine(rows[^1]);
            }
            return rows;
        }
        finally
        {
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    private static async Task WriteAsync(BenchSettings settings, List<string> rows, TextWriter to)
    {
        await to.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"""
            # From one process to two

            {TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Report.Cpu()}, {Environment.ProcessorCount} cores for everything: MongoDB's stand-in, Redis, the servers and the load of {settings.Connections} connections. The cores are full with one process already, so a second one only takes time from the first, the database and the load, and compiles its own code besides: on this machine throughput shrinks. What can be read off is that two processes on one database work side by side and what Redis changes between them; growth shows where every process has a core of its own.

            | operation | cache | processes | requests/s | per CPU-second of the servers | p50 ms | p99 ms |
            | --- | --- | --: | --: | --: | --: | --: |
            """));
        foreach (var row in rows.Order(StringComparer.Ordinal))
        {
            await to.WriteLineAsync(row);
        }
    }
}
