namespace Events.Kafka.Topics;

/// <summary>A topic has another number of partitions than it must have: events of one patient would come in two of them.</summary>
public sealed class TopicMismatchException(string topic, int found, int expected)
    : Exception($"The topic {topic} has {found} partitions and must have {expected}: their number cannot change, for the order of events rests on it.");
