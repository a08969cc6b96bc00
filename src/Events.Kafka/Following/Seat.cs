using Confluent.Kafka;

namespace Events.Kafka.Following;

/// <summary>
/// Where the consumer reads a partition, as far as the polling thread is concerned; nothing of it is for other threads but
/// <see cref="Arrivals"/>.
/// </summary>
/// <remarks>
/// The driver loses a new place where the answer to a question about the old one comes late: it then stands still, or at the end. So a
/// partition is first assigned at an offset that no topic has, and placed, by assigning it anew, only when something has been heard of
/// it since the last time: a message, its end, or that there is nothing at that offset. Where that takes too long, it is placed there once more.
/// </remarks>
/// <param name="most">As many messages, or bytes, are enough.</param>
internal sealed class Seat(TopicPartition partition, int most, long mostBytes, TimeProvider clock)
{
    /// <summary>Further than any topic goes.</summary>
    public static readonly Offset Nowhere = new(1L << 62);

    private volatile Arrivals _arrivals = new(most, mostBytes);
    private Offset _place = Nowhere;
    private long _asked = clock.GetTimestamp();
    private bool _isSettled;
    private bool _isPaused;

    /// <summary>Since the last time that it was placed.</summary>
    public Arrivals Arrivals => _arrivals;

    public void Hear(IConsumer<byte[], byte[]> consumer, ConsumeResult<byte[], byte[]> result)
    {
        _isSettled = true;
        if (_place != Nowhere && !result.IsPartitionEOF && _arrivals.Add(result))
        {
            consumer.Pause([partition]);
            _isPaused = true;
        }
    }

    /// <summary>There is nothing where it was to go on.</summary>
    public void HearOfNothing()
    {
        _isSettled = true;
        if (_place != Nowhere)
        {
            _arrivals.AddNothingThere();
        }
    }

    /// <returns>False where it is too early.</returns>
    /// <exception cref="KafkaException">It cannot be placed there.</exception>
    public bool TryPlace(IConsumer<byte[], byte[]> consumer, long offset)
    {
        if (!_isSettled)
        {
            return false;
        }
        Resume(consumer);
        Ask(consumer, offset);
        (_place, _arrivals) = (offset, new(most, mostBytes));
        return true;
    }

    /// <summary>Where nothing at all has been heard of it since it was last placed, and for too long, it is placed there once more.</summary>
    /// <returns>Whether it was.</returns>
    public bool TryAskAgain(IConsumer<byte[], byte[]> consumer, TimeSpan longest)
    {
        if (_isSettled || clock.GetElapsedTime(_asked) < longest)
        {
            return false;
        }
        try
        {
            Ask(consumer, _place);
        }
        catch (KafkaException)
        {
            _asked = clock.GetTimestamp(); // it is being taken away, or is asked for again later
        }
        return true;
    }

    private void Ask(IConsumer<byte[], byte[]> consumer, Offset place)
    {
        consumer.IncrementalUnassign([partition]);
        consumer.IncrementalAssign([new TopicPartitionOffset(partition, place)]);
        (_isSettled, _asked) = (false, clock.GetTimestamp());
    }

    public void ResumeWhereThereIsRoom(IConsumer<byte[], byte[]> consumer)
    {
        if (_isPaused && _arrivals.HasRoom)
        {
            Resume(consumer);
        }
    }

    private void Resume(IConsumer<byte[], byte[]> consumer)
    {
        if (_isPaused)
        {
            consumer.Resume([partition]);
            _isPaused = false;
        }
    }
}
