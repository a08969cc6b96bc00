using System.Globalization;
using System.Runtime.InteropServices;

namespace Bench;

/// <param name="Ratio">Server over bare, of requests per CPU-second: the middle one of the slices that were measured by turns.</param>
/// <param name="Bytes">Length of the answer.</param>
internal sealed record Measured(LoadResult Server, LoadResult Bare, double Ratio, int Bytes);

/// <summary>The table of ratios, and what else was seen.</summary>
internal sealed class Report
{
    private const string Head =
        """
        | operation | requests/s | per CPU-second | bare, per CPU-second | ratio | aim | p50 ms | p99 ms | answer bytes |
        | --- | --: | --: | --: | --: | --: | --: | --: | --: |
        """;

    private readonly List<(string Engine, List<string> Rows, List<string> Notes)> _passes = [];
    private readonly List<string> _notes = [];

    public string LastNote => _passes[^1].Notes[^1];

    public string LastLine => _passes[^1].Rows[^1];

    /// <summary>What is added from now on was measured on this engine.</summary>
    public void Begin(string engine) => _passes.Add((engine, [], []));

    public void Add(Operation operation, Measured measured) => _passes[^1].Rows.Add(string.Create(
        CultureInfo.InvariantCulture,
        $"| {operation.Title} | {measured.Server.PerSecond:N0} | {measured.Server.PerCpuSecond:N0} | {measured.Bare.PerCpuSecond:N0} | {measured.Ratio:0.00} | {(operation.Aim is { } aim ? aim.ToString("0.00", CultureInfo.InvariantCulture) : "–")} | {measured.Server.P50Microseconds / 1000:0.00} | {measured.Server.P99Microseconds / 1000:0.00} | {measured.Bytes:N0} |"));

    public void Add(string note) => (_passes.Count == 0 ? _notes : _passes[^1].Notes).Add(note);

    public void Add(string what, TimeSpan time) => Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {time.TotalSeconds:0.00} s"));

    public void Add(string what, double megabytes) => Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {megabytes:0} MB"));

    public async Task WriteAsync(BenchSettings settings, TextWriter to)
    {
        await to.WriteLineAsync("# Last result");
        await to.WriteLineAsync();
        await to.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Cpu()}, {Environment.Version}, {RuntimeInformation.OSDescription}. Server and bare endpoint each pinned to one core, the load on another; {settings.Connections} connections, {settings.Patients:N0} patients of 2 KB, {DataSet.Schedules} schedules, {DataSet.Schedules * DataSet.SlotsOfASchedule:N0} slots; encryption and the token check on. RocksDB: synced writes. MongoDB: a server on the same machine, unpinned, whose CPU time is not counted; on a stand-in its speed says nothing about MongoDB's, what the server's own process spends does."));
        await to.WriteLineAsync();
        foreach (var (engine, rows, notes) in _passes)
        {
            await to.WriteLineAsync($"## {engine}");
            await to.WriteLineAsync();
            if (rows.Count > 0)
            {
                await to.WriteLineAsync(Head);
                foreach (var row in rows)
                {
                    await to.WriteLineAsync(row);
                }
                await to.WriteLineAsync();
            }
            foreach (var note in notes)
            {
                await to.WriteLineAsync($"- {note}");
            }
            await to.WriteLineAsync();
        }
        foreach (var note in _notes)
        {
            await to.WriteLineAsync($"- {note}");
        }
    }

    public static string Cpu() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown CPU";
}
