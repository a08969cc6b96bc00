using FhirServer.Interactions;

namespace FhirServer.Observability;

/// <summary>Counts and times of requests by interaction and class of status. Holds no path, id or parameter.</summary>
internal sealed class RequestMetrics
{
    private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
    private static readonly FhirInteraction[] Interactions = Enum.GetValues<FhirInteraction>();
    private readonly Series[] _series = [.. Enumerable.Range(0, Interactions.Length * 6).Select(_ => new Series())];

    /// <summary>Time of all requests so far, added up.</summary>
    public TimeSpan Spent => TimeSpan.FromTicks(_series.Sum(series => Volatile.Read(ref series.Ticks)));

    public void Record(FhirInteraction interaction, int status, TimeSpan elapsed)
    {
        var series = _series[((int)interaction * 6) + Math.Clamp(status / 100, 0, 5)];
        Interlocked.Increment(ref series.Buckets[Bucket(elapsed.TotalSeconds)]);
        Interlocked.Add(ref series.Ticks, elapsed.Ticks);
    }

    public void Write(MetricsText text)
    {
        var durations = text.Histogram("fhir_request_duration_seconds", "Time from the first byte of a request to the last of its answer.");
        for (var i = 0; i < _series.Length; i++)
        {
            var series = _series[i];
            if (Volatile.Read(ref series.Ticks) is > 0 and var ticks)
            {
                durations.Add(Bounds, series.Buckets, TimeSpan.FromTicks(ticks).TotalSeconds, ("interaction", InteractionTable.Code(Interactions[i / 6])), ("status", $"{i % 6}xx"));
            }
        }
    }

    private static int Bucket(double seconds)
    {
        var bucket = 0;
        while (bucket < Bounds.Length && seconds > Bounds[bucket])
        {
            bucket++;
        }
        return bucket;
    }

    private sealed class Series
    {
        public readonly long[] Buckets = new long[Bounds.Length + 1];
        public long Ticks;
    }
}
