using System.Globalization;
using System.Text;
using FhirServer.Interactions;

namespace FhirServer.Observability;

/// <summary>Counts and times of requests by interaction and class of status. Holds no path, id or parameter.</summary>
internal sealed class RequestMetrics
{
    private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
    private static readonly FhirInteraction[] Interactions = Enum.GetValues<FhirInteraction>();
    private readonly Series[] _series = [.. Enumerable.Range(0, Interactions.Length * 6).Select(_ => new Series())];

    public void Record(FhirInteraction interaction, int status, TimeSpan elapsed)
    {
        var series = _series[((int)interaction * 6) + Math.Clamp(status / 100, 0, 5)];
        Interlocked.Increment(ref series.Buckets[Bucket(elapsed.TotalSeconds)]);
        Interlocked.Add(ref series.Ticks, elapsed.Ticks);
    }

    public void Write(StringBuilder text)
    {
        text.Append("# HELP fhir_request_duration_seconds Time from the first byte of a request to the last of its answer.\n");
        text.Append("# TYPE fhir_request_duration_seconds histogram\n");
        for (var i = 0; i < _series.Length; i++)
        {
            var series = _series[i];
            if (series.Ticks == 0)
            {
                continue;
            }
            var labels = $"interaction=\"{InteractionTable.Code(Interactions[i / 6])}\",status=\"{i % 6}xx\"";
            var sum = 0L;
            for (var bucket = 0; bucket <= Bounds.Length; bucket++)
            {
                sum += Volatile.Read(ref series.Buckets[bucket]);
                var bound = bucket < Bounds.Length ? Bounds[bucket].ToString(CultureInfo.InvariantCulture) : "+Inf";
                text.Append(CultureInfo.InvariantCulture, $"fhir_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {sum}\n");
            }
            var seconds = TimeSpan.FromTicks(Volatile.Read(ref series.Ticks)).TotalSeconds;
            text.Append(CultureInfo.InvariantCulture, $"fhir_request_duration_seconds_sum{{{labels}}} {seconds}\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_request_duration_seconds_count{{{labels}}} {sum}\n");
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
