using Confluent.Kafka;
using Events.Kafka.Clients;
using Events.Kafka.Messages;
using Events.Kafka.Topics;
using FhirCore.Events;

namespace Events.Kafka;

/// <summary>What became of a notification.</summary>
public enum NotificationAnswer
{
    /// <summary>As many brokers as the topic asks for have it.</summary>
    Kept,
    /// <summary>Kafka did not take it in time; it may be there all the same.</summary>
    Away,
    /// <summary>It is larger than brokers take.</summary>
    TooLarge,
}

/// <summary>
/// The topic of notifications, for subscribers who read Kafka. It is not encrypted: what is in a notification says the Subscription
/// (docs/decisions/0134). No resource type has a name with a hyphen, so nobody who follows events meets it.
/// </summary>
public sealed class NotificationTopic : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly KafkaClients _clients;
    private readonly TopicBook _topics;
    private readonly BodyLimit _limit;
    private readonly KafkaEventsOptions _options;
    private readonly Lock _gate = new();
    private IProducer<byte[], byte[]>? _producer;
    private bool _isStopped;

    internal NotificationTopic(KafkaClients clients, TopicBook topics, BodyLimit limit, KafkaEventsOptions options) =>
        (_clients, _topics, _limit, _options) = (clients, topics, limit, options);

    /// <summary>Appends. Of one Subscription one at a time, so that they keep their order.</summary>
    /// <param name="id">The same for a repetition.</param>
    /// <exception cref="FhirCore.Records.StoreUnavailableException">The store does not answer.</exception>
    public async Task<NotificationAnswer> AppendAsync(string subscription, string id, string contentType, ReadOnlyMemory<byte> notification, CancellationToken ct)
    {
        if (notification.Length > _limit.Largest)
        {
            return NotificationAnswer.TooLarge;
        }
        try
        {
            var topic = await _topics.OpenAsync(_options.Notifications, null, ct).ConfigureAwait(false);
            var source = (await _topics.TimelineAsync(ct).ConfigureAwait(false)).Bytes;
            var to = new TopicPartition(topic.Topic, EventLane.NumberOf(subscription, topic.Partitions));
            await Producer().ProduceAsync(to, NotificationMessage.Write(subscription, id, source, contentType, notification), ct).ConfigureAwait(false);
            return NotificationAnswer.Kept;
        }
        catch (ProduceException<byte[], byte[]> error) when (error.Error.Code == ErrorCode.MsgSizeTooLarge)
        {
            _limit.Learn(error);
            Volatile.Write(ref _isStopped, true); // another one sends less at once
            return notification.Length > _limit.Largest ? NotificationAnswer.TooLarge : NotificationAnswer.Away; // or what was sent with it was too large
        }
        catch (Exception error) when (error is KafkaException or TopicMismatchException)
        {
            _topics.Forget();
            return NotificationAnswer.Away;
        }
    }

    public void Dispose() => _producer?.Dispose();

    /// <summary>One for all subscriptions, and another once it has stopped for good.</summary>
    private IProducer<byte[], byte[]> Producer()
    {
        lock (_gate)
        {
            if (_producer is not null && Volatile.Read(ref _isStopped))
            {
                _producer.Dispose();
                _producer = null;
                Volatile.Write(ref _isStopped, false);
            }
            return _producer ??= _clients.NewProducer("notifications", _limit.Largest, _ => Volatile.Write(ref _isStopped, true), Patience);
        }
    }
}
