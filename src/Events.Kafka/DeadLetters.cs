using Confluent.Kafka;
using Events.Kafka.Clients;
using Events.Kafka.Messages;
using Events.Kafka.Relaying;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Kafka;

/// <summary>The topic of events that nobody could handle: the message as it was, and who could not handle it and why in its headers.</summary>
internal sealed class DeadLetters(KafkaClients clients, TopicBook topics, BodyLimit limit, KafkaEventsOptions options, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private Publisher? _publisher;

    /// <summary>When it returns Kafka has it. It may come twice where the process dies then.</summary>
    /// <exception cref="StoreUnavailableException">Kafka does not take it; it is to be tried again.</exception>
    public async Task SendAsync(DeadEvent dead, CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var topic = await topics.OpenAsync(options.DeadLetters, null, ct).ConfigureAwait(false);
            var source = (await topics.TimelineAsync(ct).ConfigureAwait(false)).Bytes;
            _publisher ??= new(clients, "dead letters", limit, clock);
            var lot = new Lot();
            var to = new TopicPartition(topic.Topic, EventLane.NumberOf(dead.Event.Change.Partition, topic.Partitions));
            await _publisher.SendAsync(to, EventMessage.WriteDead(dead, source, limit.Largest), lot, ct).ConfigureAwait(false);
            lot.Close();
            await _publisher.AcknowledgedAsync(lot, ct).ConfigureAwait(false);
        }
        catch (Exception error) when (error is KafkaException or TopicMismatchException)
        {
            limit.Learn(error);
            _publisher?.Dispose();
            _publisher = null;
            topics.Forget();
            throw new StoreUnavailableException("Kafka does not take a dead letter.", null);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        _publisher?.Dispose();
        _one.Dispose();
    }
}
