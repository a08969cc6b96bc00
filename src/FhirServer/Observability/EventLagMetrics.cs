using System.Globalization;
using System.Text;
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

    public void Write(StringBuilder text)
    {
        var known = _known;
        text.Append("# HELP fhir_event_lag Changes that a group has not handled yet, by lane.\n# TYPE fhir_event_lag gauge\n");
        foreach (var (group, lag) in known)
        {
            text.Append(CultureInfo.InvariantCulture, $"fhir_event_lag{{group=\"{group}\",lane=\"{lag.Lane}\"}} {lag.Events}\n");
        }
        text.Append("# HELP fhir_event_lag_seconds Age of the oldest of them.\n# TYPE fhir_event_lag_seconds gauge\n");
        foreach (var (group, lag) in known)
        {
            text.Append(CultureInfo.InvariantCulture, $"fhir_event_lag_seconds{{group=\"{group}\",lane=\"{lag.Lane}\"}} {lag.Behind.TotalSeconds}\n");
        }
    }
}
