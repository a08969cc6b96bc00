using System.Globalization;
using System.Runtime.InteropServices;

namespace Bench;

/// <summary>The table of ratios, and what else was seen.</summary>
internal sealed class Report
{
    private const string Head =
        """
        | operation | requests/s | per CPU-second | bare, per CPU-second | ratio | aim | p50 ms | p99 ms | answer bytes |
        | --- | --: | --: | --: | --: | --: | --: | --: | --: |
        """;

    private readonly List<string> _rows = [];
    private readonly List<string> _notes = [];

    public string LastLine => _rows[^1];

    public void Add(Operation operation, LoadResult server, LoadResult bare, int bytes) => _rows.Add(string.Create(
        CultureInfo.InvariantCulture,
        $"| {operation.Title} | {server.PerSecond:N0} | {server.PerCpuSecond:N0} | {bare.PerCpuSecond:N0} | {server.PerCpuSecond / bare.PerCpuSecond:0.00} | {(operation.Aim is { } aim ? aim.ToString("0.00", CultureInfo.InvariantCulture) : "–")} | {server.P50Microseconds / 1000:0.00} | {server.P99Microseconds / 1000:0.00} | {bytes:N0} |"));

    public void Add(string note) => _notes.Add(note);

    public void Add(string what, TimeSpan time) => Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {time.TotalSeconds:0.00} s"));

    public void Add(string what, double megabytes) => Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {megabytes:0} MB"));

    public async Task WriteAsync(BenchSettings settings, TextWriter to)
    {
        await to.WriteLineAsync("# Last result");
        await to.WriteLineAsync();
        await to.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Cpu()}, {Environment.Version}, {RuntimeInformation.OSDescription}. Server and bare endpoint each pinned to one core, the load on another; {settings.Connections} connections, {settings.Patients:N0} patients of 2 KB, {DataSet.Schedules} schedules, {DataSet.Schedules * DataSet.SlotsOfASchedule:N0} slots; RocksDB with synced writes, encryption and the token check on."));
        await to.WriteLineAsync();
        await to.WriteLineAsync(Head);
        foreach (var row in _rows)
        {
            await to.WriteLineAsync(row);
        }
        await to.WriteLineAsync();
        foreach (var note in _notes)
        {
            await to.WriteLineAsync($"- {note}");
        }
    }

    private static string Cpu() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown CPU";
}
