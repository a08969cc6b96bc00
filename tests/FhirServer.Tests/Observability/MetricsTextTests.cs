using FhirServer.Observability;

namespace FhirServer.Tests.Observability;

/// <summary>Against https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format.</summary>
public sealed class MetricsTextTests
{
    private readonly MetricsText _text = new();

    [Fact]
    public void Values_AreWrittenAsNumbersOfTheInvariantCulture()
    {
        _text.Counter("things_total", "Things so far.", 3_000_000_000);
        _text.Gauge("age_seconds", "How old.", 1.5);
        Assert.Equal(
            """
            # HELP things_total Things so far.
            # TYPE things_total counter
            things_total 3000000000
            # HELP age_seconds How old.
            # TYPE age_seconds gauge
            age_seconds 1.5

            """, _text.ToString());
    }

    /// <summary>A label may hold anything, such as the name of a client's subscription channel; it must not end its line or its quotes.</summary>
    [Fact]
    public void Labels_AreEscaped()
    {
        _text.Gauge("lag", "Lag.").Add(1, ("group", "a\"b\\c\nd"), ("lane", "é")).Add(0);
        Assert.Equal(
            """
            # HELP lag Lag.
            # TYPE lag gauge
            lag{group="a\"b\\c\nd",lane="é"} 1
            lag 0

            """, _text.ToString());
    }

    [Fact]
    public void Buckets_AreCumulative()
    {
        _text.Histogram("took_seconds", "Time.").Add([0.5, 1], [2, 0, 3], 9.25, ("to", "x"));
        Assert.Equal(
            """
            # HELP took_seconds Time.
            # TYPE took_seconds histogram
            took_seconds_bucket{to="x",le="0.5"} 2
            took_seconds_bucket{to="x",le="1"} 2
            took_seconds_bucket{to="x",le="+Inf"} 5
            took_seconds_sum{to="x"} 9.25
            took_seconds_count{to="x"} 5

            """, _text.ToString());
    }
}
