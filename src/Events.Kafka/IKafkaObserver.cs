namespace Events.Kafka;

/// <summary>Told what becomes of events between the change log and Kafka, for logs and metrics. No secrets, no bodies.</summary>
public interface IKafkaObserver
{
    /// <summary>Acknowledged by Kafka, and the relay's progress says so.</summary>
    void Published(int events);

    /// <summary>The relay begins again from its progress.</summary>
    void RelayFailed(Exception why);

    /// <summary>A connection has trouble; the driver goes on trying.</summary>
    /// <param name="code">The driver's own name for it.</param>
    void Trouble(string client, string code, string reason);

    /// <summary>A message that no version of this server has written. It is passed over.</summary>
    void Unreadable(string topic, int partition, long offset);

    /// <summary>Events that Kafka no longer has were read from the change log.</summary>
    void CaughtUp(string group, string lane, int events);
}
