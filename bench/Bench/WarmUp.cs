namespace Bench;

/// <summary>
/// Load until the server no longer gets faster. Code that runs often is compiled three times over, on the core that serves: measured
/// before that has settled, a read costs twice what it costs from then on.
/// </summary>
internal static class WarmUp
{
    private const double Gain = 1.04;
    private const int CalmSlices = 6;
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(24); // on one busy core recompilation comes in steps, with calm between them
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(IReadOnlyList<PinnedProcess> servers, int connections, Func<int, IRequestSource> sourceOf)
    {
        var best = 0.0;
        var calm = 0;
        for (var spent = TimeSpan.Zero; spent < Shortest || (spent < Longest && calm < CalmSlices); spent += Slice)
        {
            var result = await Load.RunAsync(servers, connections, Slice, sourceOf);
            calm = result.PerCpuSecond < best * Gain ? calm + 1 : 0;
            best = Math.Max(best, result.PerCpuSecond);
        }
    }
}
