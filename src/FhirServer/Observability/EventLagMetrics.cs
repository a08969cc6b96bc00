using FhirCore.Events;
using FhirCore.Records;

namespace FhirServer.Observability;

/// <summary>How far the groups that this process follows are behind.</summary>
internal sealed class EventLagMetrics(IEventLog log, EventMetrics metrics) : IMetricsSource
{
    private volatile IReadOnlyList<(string Group, LaneLag Lag)> _known = [];

    public async Task AskAsync(CancellationToken ct)
    {
        var known = new List<(string, LaneLag)>();
        try
        {
            foreach (var group in metrics.Groups)
            {
                known.AddRange((await log.LagAsync(group, ct)).Select(lag => (group, lag)));
            }
        }
        catch (Exception error) when (error is StoreUnavailableException or OperationCanceledException)
        {
            known.Clear(); // an old figure would look like a new one
        }
        _known = known;
    }

    public void Write(MetricsText text)
    {
        var known = _known;
        var events = text.Gauge("fhir_event_lag", "Changes that a group has not handled yet, by lane.");
        foreach (var (group, lag) in known)
        {
            events.Add(lag.Events, ("group", group), ("lane", lag.Lane));
        }
        var seconds = text.Gauge("fhir_event_lag_seconds", "Age of the oldest of them.");
        foreach (var (group, lag) in known)
        {
            seconds.Add(lag.Behind.TotalSeconds, ("group", group), ("lane", lag.Lane));
        }
    }
}
