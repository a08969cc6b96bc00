using System.Threading.Channels;
using Confluent.Kafka;

namespace Events.Kafka.Following;

/// <summary>
/// Messages of one partition, from one place on, between the thread that polls and the lane that handles them. It says when it has
/// enough, and when there is room again.
/// </summary>
/// <param name="most">So many, or so many bytes of bodies, are enough.</param>
internal sealed class Arrivals(int most, long mostBytes)
{
    private readonly Channel<ConsumeResult<byte[], byte[]>?> _channel = Channel.CreateUnbounded<ConsumeResult<byte[], byte[]>?>(new() { SingleReader = true, SingleWriter = true });
    private int _count;
    private long _bytes;
    private bool _isNothingThere;

    public int Count => Volatile.Read(ref _count);

    /// <returns>True where this one was enough: no more should come.</returns>
    public bool Add(ConsumeResult<byte[], byte[]> result)
    {
        var count = Interlocked.Increment(ref _count);
        var bytes = Interlocked.Add(ref _bytes, Size(result));
        _channel.Writer.TryWrite(result);
        return count >= most || bytes >= mostBytes;
    }

    /// <summary>Instead of messages: there is nothing at that place.</summary>
    public void AddNothingThere() => _channel.Writer.TryWrite(null);

    /// <returns>False where nothing has come within the limit, which may be infinite.</returns>
    public async Task<bool> WaitAsync(TimeSpan limit, TimeProvider clock, CancellationToken ct)
    {
        if (_isNothingThere || _channel.Reader.TryPeek(out _))
        {
            return true;
        }
        if (limit == Timeout.InfiniteTimeSpan)
        {
            return await _channel.Reader.WaitToReadAsync(ct).ConfigureAwait(false);
        }
        if (limit <= TimeSpan.Zero)
        {
            return false;
        }
        using var limited = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limited.Token, ct);
        try
        {
            return await _channel.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>To be called after <see cref="WaitAsync"/> has said that there is something.</summary>
    /// <returns>What is there, in its order; null where there is nothing at that place.</returns>
    public IReadOnlyList<ConsumeResult<byte[], byte[]>>? Take()
    {
        var taken = new List<ConsumeResult<byte[], byte[]>>();
        while (taken.Count < most && !_isNothingThere && _channel.Reader.TryRead(out var next))
        {
            if (next is null)
            {
                _isNothingThere = true;
                break;
            }
            Interlocked.Decrement(ref _count);
            Interlocked.Add(ref _bytes, -Size(next));
            taken.Add(next);
        }
        return taken.Count > 0 ? taken : null;
    }

    public bool HasRoom => Count <= most / 2 && Interlocked.Read(ref _bytes) <= mostBytes / 2;

    private static long Size(ConsumeResult<byte[], byte[]> result) => result.Message.Value?.Length ?? 0;
}
