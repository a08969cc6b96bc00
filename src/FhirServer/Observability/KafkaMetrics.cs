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

    public void Write(MetricsText text)
    {
        if (_backlog is { } backlog)
        {
            text.Gauge("fhir_event_relay_backlog", "Changes that are not in Kafka yet.", backlog.Events);
            text.Gauge("fhir_event_relay_backlog_seconds", "Age of the oldest of them.", backlog.Behind.TotalSeconds);
        }
        text.Counter("fhir_event_relay_published_total", "Events that this process has carried to Kafka.", events.PublishedEvents);
        text.Counter("fhir_event_relay_failures_total", "How often the relay began again from its progress.", events.RelayFailures);
        text.Counter("fhir_event_unreadable_total", "Messages passed over because this server did not write them.", events.UnreadableMessages);
        text.Counter("fhir_event_caught_up_total", "Events read from the change log because Kafka no longer had them.", events.CaughtUpEvents);
    }
}
