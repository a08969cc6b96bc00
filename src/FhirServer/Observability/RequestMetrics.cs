using FhirServer.Interactions;

namespace FhirServer.Observability;

/// <summary>Counts and times of requests by interaction and class of status. Holds no path, id or parameter.</summary>
internal sealed class RequestMetrics
{
    private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
    private static readonly FhirInteraction[] Interactions = Enum.GetValues<FhirInteraction>();
    private readonly DurationHistogram[] _series = [.. Enumerable.Range(0, Interactions.Length * 6).Select(_ => new DurationHistogram(Bounds))];

    /// <summary>Time of all requests so far, added up.</summary>
    public TimeSpan Spent => TimeSpan.FromTicks(_series.Sum(series => series.Spent.Ticks));

    public void Record(FhirInteraction interaction, int status, TimeSpan elapsed) => _series[((int)interaction * 6) + Math.Clamp(status / 100, 0, 5)].Record(elapsed);

    public void Write(MetricsText text)
    {
        var durations = text.Histogram("fhir_request_duration_seconds", "Time from the first byte of a request to the last of its answer.");
        foreach (var (i, series) in _series.Index())
        {
            if (series.Spent > TimeSpan.Zero)
            {
                series.Write(durations, ("interaction", InteractionTable.Code(Interactions[i / 6])), ("status", $"{i % 6}xx"));
            }
        }
    }
}
