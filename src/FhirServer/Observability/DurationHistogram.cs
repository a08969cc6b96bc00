namespace FhirServer.Observability;

/// <summary>How many took how long.</summary>
/// <param name="bounds">Seconds, rising; a time is counted under the first that it does not exceed.</param>
internal sealed class DurationHistogram(double[] bounds)
{
    private readonly long[] _buckets = new long[bounds.Length + 1];
    private long _ticks;

    /// <summary>All of them, added up.</summary>
    public TimeSpan Spent => TimeSpan.FromTicks(Volatile.Read(ref _ticks));

    public void Record(TimeSpan took)
    {
        var at = Array.BinarySearch(bounds, took.TotalSeconds);
        Interlocked.Increment(ref _buckets[at < 0 ? ~at : at]);
        Interlocked.Add(ref _ticks, took.Ticks);
    }

    public void Write(MetricsText.Family family, params ReadOnlySpan<(string Name, string Value)> labels) => family.Add(bounds, _buckets, Spent.TotalSeconds, labels);
}
