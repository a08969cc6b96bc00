using Events.Contract;

namespace Events.Kafka.Tests;

/// <summary>The log on Kafka keeps what every event log promises.</summary>
public sealed class KafkaEventLogTests : EventLogContract
{
    protected override ValueTask<EventHouse> OpenAsync() => new(KafkaHouse.OnSharedBroker());
}
