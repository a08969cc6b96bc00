using Events.Kafka.Clients;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Kafka.Following;

/// <summary>What every lane of a group needs.</summary>
internal sealed record LaneContext(
    IRecordStore Records, KafkaAdmin Admin, TopicBook Topics, KafkaEventsOptions Options, IEventHandler Handler, Func<DeadEvent, RecordWrite, CancellationToken, Task> SetAside,
    IEventObserver? Events, IKafkaObserver? Kafka, TimeProvider Clock);
