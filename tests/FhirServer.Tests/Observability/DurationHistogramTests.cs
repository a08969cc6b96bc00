using FhirServer.Observability;

namespace FhirServer.Tests.Observability;

public sealed class DurationHistogramTests
{
    /// <summary>Prometheus' <c>le</c>: a time that is equal to a bound is under it.</summary>
    [Fact]
    public void Times_AreCountedUnderTheFirstBoundThatTheyDoNotExceed()
    {
        var histogram = new DurationHistogram([0.5, 1]);
        foreach (var milliseconds in (double[])[-1, 0, 500, 501, 1_000, 1_001, 90_000])
        {
            histogram.Record(TimeSpan.FromMilliseconds(milliseconds));
        }
        var text = new MetricsText();
        histogram.Write(text.Histogram("took_seconds", "Time."), ("to", "x"));
        Assert.Equal(
            """
            # HELP took_seconds Time.
            # TYPE took_seconds histogram
            took_seconds_bucket{to="x",le="0.5"} 3
            took_seconds_bucket{to="x",le="1"} 5
            took_seconds_bucket{to="x",le="+Inf"} 7
            took_seconds_sum{to="x"} 93.001
            took_seconds_count{to="x"} 7

            """, text.ToString());
        Assert.Equal(TimeSpan.FromMilliseconds(93_001), histogram.Spent);
    }
}
