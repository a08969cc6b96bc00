using System.Diagnostics;

namespace Bench;

/// <summary>Requests of one kind. A source belongs to one connection and is not shared.</summary>
internal interface IRequestSource
{
    /// <returns>False where there is nothing left to ask; then the connection stops.</returns>
    bool TryNext(out ReadOnlyMemory<byte> request);

    /// <summary>Told of every answer, in the order of the requests.</summary>
    void Answered(int status);
}

/// <param name="Cpu">Seconds of the server processes.</param>
/// <param name="Statuses">How many answers had each status.</param>
internal sealed record LoadResult(long Requests, double Seconds, double Cpu, double P50Microseconds, double P99Microseconds, IReadOnlyDictionary<int, long> Statuses)
{
    public double PerSecond => Requests / Seconds;

    public double PerCpuSecond => Requests / Cpu;

    /// <summary>Several slices as one: requests and times summed, of the latencies the slice in the middle.</summary>
    public static LoadResult Of(IReadOnlyList<LoadResult> slices) => slices.Count == 1 ? slices[0] : new(
        slices.Sum(slice => slice.Requests),
        slices.Sum(slice => slice.Seconds),
        slices.Sum(slice => slice.Cpu),
        Median(slices.Select(slice => slice.P50Microseconds)),
        Median(slices.Select(slice => slice.P99Microseconds)),
        slices.SelectMany(slice => slice.Statuses).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value)));

    public static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted && sorted.Length % 2 == 1
        ? sorted[sorted.Length / 2]
        : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
}

internal static class Load
{
    /// <param name="servers">The connections are spread over them.</param>
    /// <param name="limit">Null: until the sources have nothing left.</param>
    public static async Task<LoadResult> RunAsync(IReadOnlyList<PinnedProcess> servers, int connections, TimeSpan? limit, Func<int, IRequestSource> sourceOf)
    {
        var open = new RawConnection[connections];
        for (var i = 0; i < connections; i++)
        {
            open[i] = new();
            await open[i].ConnectAsync(servers[i % servers.Count].Port);
        }
        var cpu = servers.Sum(server => server.CpuSeconds);
        var began = Stopwatch.GetTimestamp();
        var until = limit is { } time ? began + (long)(time.TotalSeconds * Stopwatch.Frequency) : long.MaxValue;
        var tallies = await Task.WhenAll(open.Select((connection, i) => Task.Run(() => WorkAsync(connection, sourceOf(i), until))));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        cpu = servers.Sum(server => server.CpuSeconds) - cpu;
        foreach (var connection in open)
        {
            connection.Dispose();
        }
        var latencies = tallies.SelectMany(tally => tally.Microseconds).ToArray();
        Array.Sort(latencies);
        var statuses = tallies.SelectMany(tally => tally.Statuses).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value));
        return new(latencies.Length, seconds, Math.Max(cpu, 0.01), At(latencies, 0.50), At(latencies, 0.99), statuses);
    }

    private static async Task<Tally> WorkAsync(RawConnection connection, IRequestSource source, long until)
    {
        var tally = new Tally();
        for (var now = Stopwatch.GetTimestamp(); now < until && source.TryNext(out var request);)
        {
            var (status, _) = await connection.ExchangeAsync(request, keepBody: false);
            source.Answered(status);
            var then = Stopwatch.GetTimestamp();
            tally.Microseconds.Add((float)((then - now) * 1e6 / Stopwatch.Frequency));
            tally.Statuses[status] = tally.Statuses.GetValueOrDefault(status) + 1;
            now = then;
        }
        return tally;
    }

    private static double At(float[] sorted, double share) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];

    private sealed class Tally
    {
        public List<float> Microseconds { get; } = new(16 << 10);

        public Dictionary<int, long> Statuses { get; } = [];
    }
}
