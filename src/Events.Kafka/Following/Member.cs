using System.Collections.Concurrent;
using Confluent.Kafka;
using Events.Kafka.Clients;
using Events.Kafka.Topics;
using FhirCore.Events;

namespace Events.Kafka.Following;

/// <summary>
/// This process as a member of one group: a thread of its own that polls the consumer, and a lane for each partition it is given. The
/// consumer is used by that thread alone; lanes ask it for what they want of the consumer.
/// </summary>
internal sealed class Member(EventGroup group, LaneContext context, KafkaClients clients, TopicBook topics, KafkaEventsOptions options, IEventObserver? observer, TimeProvider clock)
{
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LookAtEnds = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>The driver says within a fetch what is at a place. Where it has said nothing for so long, it has lost the question.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<TopicPartition, Lane> _lanes = new();
    private readonly ConcurrentQueue<Action<IConsumer<byte[], byte[]>>> _wishes = new();

    public IReadOnlyList<LaneLag> Lag => [.. _lanes.Values.Select(lane => lane.Lag).OrderBy(lag => lag.Lane, StringComparer.Ordinal)];

    /// <summary>Until cancelled; whatever goes wrong, it joins again.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                topics.Forget();
                foreach (var type in group.Types)
                {
                    await topics.OpenAsync(options.TopicOf(type), type, ct).ConfigureAwait(false);
                }
                await Task.Factory.StartNew(() => Poll(ct), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            }
            catch (Exception error) when (error is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                observer?.Failed(group.Name, "membership", error);
            }
            ct.ThrowIfCancellationRequested();
            await Task.Delay(pause, clock, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Whether partitions are being handed over: none may be placed then, since the driver is in the middle of an assignment.</summary>
    public bool IsHandingOver { get; private set; }

    /// <summary>Done on the polling thread, if the lane is still this member's by then.</summary>
    public void Wish(Lane lane, Action<IConsumer<byte[], byte[]>> what) => _wishes.Enqueue(consumer =>
    {
        if (_lanes.TryGetValue(lane.Partition, out var current) && current == lane)
        {
            what(consumer);
        }
    });

    private void Poll(CancellationToken ct)
    {
        _wishes.Clear();
        using var consumer = clients.NewConsumer(group.Name, builder => builder
            .SetPartitionsAssignedHandler((_, partitions) => Assigned(partitions, ct))
            .SetPartitionsRevokedHandler((owner, partitions) => Revoked(owner, partitions.Select(partition => partition.TopicPartition)))
            .SetPartitionsLostHandler((owner, partitions) => Revoked(owner, partitions.Select(partition => partition.TopicPartition))));
        try
        {
            consumer.Subscribe(group.Types.IsEmpty ? [$"^{options.TopicPrefix.Replace(".", "\\.", StringComparison.Ordinal)}[a-z]+$"] : group.Types.Select(options.TopicOf));
            var looked = clock.GetTimestamp();
            while (!ct.IsCancellationRequested)
            {
                Grant(consumer);
                Consume(consumer);
                if (clock.GetElapsedTime(looked) >= LookAtEnds)
                {
                    looked = clock.GetTimestamp();
                    LookAt(consumer);
                }
            }
        }
        finally
        {
            Revoked(consumer, [.. _lanes.Keys]);
            consumer.Close();
        }
    }

    private void Grant(IConsumer<byte[], byte[]> consumer)
    {
        for (var wishes = _wishes.Count; wishes > 0 && _wishes.TryDequeue(out var wish); wishes--)
        {
            wish(consumer); // and may wish for the same again
        }
    }

    private void Consume(IConsumer<byte[], byte[]> consumer)
    {
        try
        {
            if (consumer.Consume(PollTime) is { } result && _lanes.TryGetValue(result.TopicPartition, out var lane))
            {
                lane.Seat.Hear(consumer, result);
            }
        }
        catch (ConsumeException error) when (!error.Error.IsFatal)
        {
            // Of a partition: where it was to go on there is nothing (any more). Everything else the driver tries again by itself.
            if (error.ConsumerRecord?.TopicPartition is { } partition && _lanes.TryGetValue(partition, out var lane)
                && error.Error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange)
            {
                lane.Seat.HearOfNothing();
            }
        }
    }

    private void LookAt(IConsumer<byte[], byte[]> consumer)
    {
        foreach (var lane in _lanes.Values)
        {
            lane.KnowEnd(consumer.GetWatermarkOffsets(lane.Partition).High.Value);
            if (lane.Seat.TryAskAgain(consumer, LongestSilence))
            {
                context.Kafka?.Trouble($"group {group.Name}", "silence", $"nothing was heard of {lane.Partition} for {LongestSilence.TotalSeconds:0} s: it is asked for again");
            }
        }
    }

    /// <summary>Nothing is read until the lane knows where it stands and asks for it.</summary>
    private IEnumerable<TopicPartitionOffset> Assigned(List<TopicPartition> partitions, CancellationToken ct)
    {
        topics.Forget();
        foreach (var partition in partitions)
        {
            _lanes[partition] = new(group, context, this, partition, ct);
        }
        return partitions.Select(partition => new TopicPartitionOffset(partition, Seat.Nowhere));
    }

    /// <summary>Waits for handlers at work, but not for long: one that is late finds that its commits no longer succeed.</summary>
    private void Revoked(IConsumer<byte[], byte[]> consumer, IEnumerable<TopicPartition> partitions)
    {
        var ending = new List<Task>();
        foreach (var partition in partitions)
        {
            if (_lanes.TryGetValue(partition, out var lane))
            {
                ending.Add(lane.End());
            }
        }
        Task.WaitAny([Task.WhenAll(ending), Task.Delay(options.HandOver, clock)]);
        IsHandingOver = true;
        Grant(consumer);
        IsHandingOver = false;
        foreach (var partition in partitions)
        {
            _lanes.TryRemove(partition, out _);
        }
    }
}
