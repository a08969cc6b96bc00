using Confluent.Kafka;
using Events.Kafka.Clients;
using Events.Kafka.Messages;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Kafka.Relaying;

/// <summary>
/// Carries the change log to Kafka: in its order, from where its progress stands, which moves only when Kafka has everything before it.
/// One process at a time does so; two that overlap for a moment repeat events, and every consumer passes repetitions over
/// (docs/decisions/0130).
/// </summary>
/// <param name="poll">How often commits of other processes are looked for; those of this one wake it at once.</param>
internal sealed class Relay(
    IRecordStore records, KafkaClients clients, TopicBook topics, BodyLimit limit, KafkaEventsOptions options, ChangeSignal signal, TimeSpan poll, IKafkaObserver? observer,
    TimeProvider clock)
{
    private const int RowsAtOnce = 1_000;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private long _marked;

    /// <summary>Until cancelled; whatever goes wrong, it begins again from its progress.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var pause = FirstPause;
        while (true)
        {
            var marked = _marked;
            try
            {
                await PublishAsync(ct).ConfigureAwait(false);
            }
            catch (Exception error) when (error is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                limit.Learn(error);
                observer?.RelayFailed(error);
            }
            topics.Forget();
            pause = _marked > marked ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, clock, ct).ConfigureAwait(false);
        }
    }

    /// <summary>While one lot is on its way the next is read and sent.</summary>
    private async Task PublishAsync(CancellationToken ct)
    {
        var progress = await EventProgress.ReadAsync(records, TopicBook.RelayKey, ct).ConfigureAwait(false);
        var source = (await topics.TimelineAsync(ct).ConfigureAwait(false)).Bytes;
        using var publisher = new Publisher(clients, "relay", limit, clock);
        var position = progress.Sequence;
        (Lot Lot, int Events, long End)? underway = null;
        while (true)
        {
            var changed = signal.Next;
            var rows = await records.ReadJournalAsync(position, RowsAtOnce, ct).ConfigureAwait(false);
            (Lot, int, long)? next = null;
            if (rows.Count > 0)
            {
                position = rows[^1].Change.Sequence;
                next = (await SendAsync(publisher, rows, source, ct).ConfigureAwait(false), rows.Count, position);
            }
            if (underway is var (lot, events, end))
            {
                await publisher.AcknowledgedAsync(lot, ct).ConfigureAwait(false);
                progress = await MarkAsync(progress, end, ct).ConfigureAwait(false);
                observer?.Published(events);
            }
            else if (next is null)
            {
                await Task.WhenAny(changed, Task.Delay(poll, clock, ct)).ConfigureAwait(false);
                ct.ThrowIfCancellationRequested();
            }
            underway = next;
        }
    }

    private async Task<Lot> SendAsync(Publisher publisher, IReadOnlyList<JournalRow> rows, byte[] source, CancellationToken ct)
    {
        var lot = new Lot();
        foreach (var (change, version) in rows)
        {
            var topic = await topics.OpenAsync(options.TopicOf(change.Key.Type), change.Key.Type, ct).ConfigureAwait(false);
            var to = new TopicPartition(topic.Topic, EventLane.NumberOf(change.Partition, topic.Partitions));
            await publisher.SendAsync(to, EventMessage.Write(new(change, version), source, limit.Largest), lot, ct).ConfigureAwait(false);
        }
        lot.Close();
        return lot;
    }

    private async Task<EventProgress> MarkAsync(EventProgress progress, long end, CancellationToken ct)
    {
        var (write, then) = progress.To(end, 0, 0, clock.GetUtcNow());
        if (await records.CommitAsync(Commit.Of(write), ct).ConfigureAwait(false) is not CommitResult.Done)
        {
            throw new LaneLostException("relay"); // another relay, or this one's own write whose answer was lost
        }
        _marked = end;
        return then;
    }
}
