using Confluent.Kafka;
using Events.Kafka.Clients;
using Events.Kafka.Messages;

namespace Events.Kafka.Relaying;

/// <summary>
/// One producer, until its first error: it takes messages in their order and says of each lot when Kafka has all of it. After an error
/// nothing it was given later may be counted on; whoever sends begins again with another.
/// </summary>
internal sealed class Publisher : IDisposable
{
    private static readonly TimeSpan QueuePause = TimeSpan.FromMilliseconds(10);
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly TimeProvider _clock;
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Publisher(KafkaClients clients, string name, BodyLimit limit, TimeProvider clock)
    {
        _clock = clock;
        _ = _broken.Task.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default); // observed
        _producer = clients.NewProducer(name, limit.Largest, Break);
    }

    /// <summary>Whether it takes messages no more.</summary>
    public bool IsBroken => _broken.Task.IsCompleted;

    /// <summary>Takes the message; its acknowledgement counts for the lot.</summary>
    /// <exception cref="KafkaException">It cannot be sent, or one before it could not.</exception>
    public async ValueTask SendAsync(TopicPartition to, Message<byte[], byte[]> message, Lot lot, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            if (IsBroken)
            {
                await _broken.Task.ConfigureAwait(false);
            }
            try
            {
                lot.Add();
                _producer.Produce(to, message, report =>
                {
                    if (report.Error.IsError)
                    {
                        Break(report.Error);
                    }
                    else
                    {
                        lot.Acknowledge();
                    }
                });
                return;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                lot.Acknowledge(); // it is not in the queue
            }
            await Task.Delay(QueuePause, _clock, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Returns when Kafka has the whole lot, however long it is away.</summary>
    /// <exception cref="KafkaException">A message could not be delivered.</exception>
    public async Task AcknowledgedAsync(Lot lot, CancellationToken ct)
    {
        var first = await Task.WhenAny(lot.Done, _broken.Task).WaitAsync(ct).ConfigureAwait(false);
        await first.ConfigureAwait(false);
    }

    /// <summary>What is not on its way yet is not sent any more.</summary>
    public void Dispose() => _producer.Dispose();

    private void Break(Error error) => _broken.TrySetException(new KafkaException(error));
}

/// <summary>Messages that are waited for together.</summary>
internal sealed class Lot
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open = 1; // until it is closed

    public Task Done => _done.Task;

    public void Add() => Interlocked.Increment(ref _open);

    public void Acknowledge()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _done.TrySetResult();
        }
    }

    /// <summary>Nothing is added any more.</summary>
    public void Close() => Acknowledge();
}
