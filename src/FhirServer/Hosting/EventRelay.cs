using Events.Kafka;
using FhirStore.Leases;

namespace FhirServer.Hosting;

/// <summary>Carries changes to Kafka: a background job, done by one process at a time.</summary>
internal sealed class EventRelay(LeasedJobs jobs, KafkaEventLog log) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => jobs.RunAsync("event-relay", log.RelayAsync, stoppingToken);
}
