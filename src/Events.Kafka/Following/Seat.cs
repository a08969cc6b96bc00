using Confluent.Kafka;

namespace Events.Kafka.Following;

/// <summary>
/// Where the consumer reads a partition, as far as the polling thread is concerned; nothing of it is for other threads but
/// <see cref="Arrivals"/>.
/// </summary>
/// <remarks>
/// The driver loses a new place where the answer to a question about the old one comes late: it then stands still, or at the end. So a
/// partition is first assigned at an offset that no topic has, and placed, by assigning it anew, only when something has been heard of
/// it since the last time: a message, its end, or that there is nothing at that offset.
/// </remarks>
/// <param name="most">As many messages, or bytes, are enough.</param>
internal sealed class Seat(TopicPartition partition, int most, long mostBytes)
{
    /// <summary>Further than any topic goes.</summary>
    public static readonly Offset Nowhere = new(1L << 62);

    private volatile Arrivals _arrivals = new(most, mostBytes);
    private bool _isPlaced;
    private bool _isSettled;
    private bool _isPaused;

    /// <summary>Since the last time that it was placed.</summary>
    public Arrivals Arrivals => _arrivals;

    public void Hear(IConsumer<byte[], byte[]> consumer, ConsumeResult<byte[], byte[]> result)
    {
        _isSettled = true;
        if (_isPlaced && !result.IsPartitionEOF && _arrivals.Add(result))
        {
            consumer.Pause([partition]);
            _isPaused = true;
        }
    }

    /// <summary>There is nothing where it was to go on.</summary>
    public void HearOfNothing()
    {
        _isSettled = true;
        if (_isPlaced)
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
        consumer.IncrementalUnassign([partition]);
        consumer.IncrementalAssign([new TopicPartitionOffset(partition, offset)]);
        (_isPlaced, _isSettled, _arrivals) = (true, false, new(most, mostBytes));
        return true;
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
