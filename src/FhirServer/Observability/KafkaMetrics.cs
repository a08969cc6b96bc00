using System.Globalization;
using System.Text;
using Events.Kafka;
using FhirCore.Events;
using FhirCore.Records;

namespace FhirServer.Observability;

/// <summary>How the relay to Kafka does, and what was odd in the topics.</summary>
internal sealed class KafkaMetrics(KafkaEventLog log, KafkaEvents events) : IMetricsSource
{
    private volatile LaneLag? _backlog;

    public async Task AskAsync(CancellationToken ct)
    {
        try
        {
            _backlog = await log.BacklogAsync(ct);
        }
        catch (Exception error) when (error is StoreUnavailableException or OperationCanceledException)
        {
            _backlog = null;
        }
    }

    public void Write(StringBuilder text)
    {
        if (_backlog is { } backlog)
        {
            text.Append("# HELP fhir_event_relay_backlog Changes that are not in Kafka yet.\n# TYPE fhir_event_relay_backlog gauge\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_event_relay_backlog {backlog.Events}\n");
            text.Append("# HELP fhir_event_relay_backlog_seconds Age of the oldest of them.\n# TYPE fhir_event_relay_backlog_seconds gauge\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_event_relay_backlog_seconds {backlog.Behind.TotalSeconds}\n");
        }
        text.Append("# HELP fhir_event_relay_published_total Events that this process has carried to Kafka.\n# TYPE fhir_event_relay_published_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_event_relay_published_total {events.PublishedEvents}\n");
        text.Append("# HELP fhir_event_relay_failures_total How often the relay began again from its progress.\n# TYPE fhir_event_relay_failures_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_event_relay_failures_total {events.RelayFailures}\n");
        text.Append("# HELP fhir_event_unreadable_total Messages passed over because this server did not write them.\n# TYPE fhir_event_unreadable_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_event_unreadable_total {events.UnreadableMessages}\n");
        text.Append("# HELP fhir_event_caught_up_total Events read from the change log because Kafka no longer had them.\n# TYPE fhir_event_caught_up_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_event_caught_up_total {events.CaughtUpEvents}\n");
    }
}
