using StackExchange.Redis;

namespace Cache.Redis;

/// <summary>
/// The connection to Redis and whether it is worth asking. Failures in a row open the circuit: nobody asks any more, and a probe in
/// the background finds out when Redis answers again. Whoever wants something never waits for a connection.
/// </summary>
internal sealed class RedisLink : IAsyncDisposable
{
    private readonly RedisCacheOptions _options;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _opened = new(0);
    private readonly Task _watch;
    private volatile ConnectionMultiplexer? _connection;
    private volatile bool _answers;
    private int _failures;
    private bool _disposed;

    public RedisLink(RedisCacheOptions options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _watch = Task.Run(WatchAsync);
    }

    public bool Answers => _answers;

    /// <returns>Null while Redis is not worth asking.</returns>
    public IDatabase? Database => _answers ? _connection?.GetDatabase() : null;

    public void Succeeded() => Volatile.Write(ref _failures, 0);

    public void Failed()
    {
        if (Interlocked.Increment(ref _failures) >= _options.FailuresToSkip && _answers)
        {
            _answers = false;
            _opened.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }
        await _stopping.CancelAsync();
        await _watch;
        await GiveUpAsync();
        _stopping.Dispose();
        _opened.Dispose();
    }

    private async Task WatchAsync()
    {
        var ct = _stopping.Token;
        try
        {
            while (true)
            {
                await ReachAsync(ct);
                Volatile.Write(ref _failures, 0);
                _answers = true;
                await _opened.WaitAsync(ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            _answers = false;
        }
    }

    /// <summary>Returns when Redis takes writes: over the connection there is, or after a while over a new one.</summary>
    private async Task ReachAsync(CancellationToken ct)
    {
        var since = _clock.GetTimestamp();
        while (!await TryReachAsync(ct))
        {
            await Task.Delay(_options.ProbeInterval, _clock, ct);
            if (_clock.GetElapsedTime(since) >= _options.RenewAfter)
            {
                await GiveUpAsync();
                since = _clock.GetTimestamp();
            }
        }
    }

    private async Task<bool> TryReachAsync(CancellationToken ct)
    {
        try
        {
            // Where a connection cannot be made for now the driver throws (Sentinel) or gives one that comes alive later.
            _connection ??= await ConnectAsync(ct);
            // A write, since a replica that answers reads is not enough.
            await _connection.GetDatabase()
                .StringSetAsync(_options.KeyPrefix + "probe", 1, TimeSpan.FromSeconds(10), flags: CommandFlags.DemandMaster)
                .WaitAsync(_options.Timeout * 5, _clock, ct);
            return true;
        }
        catch (Exception) when (!ct.IsCancellationRequested)
        {
            return false; // whatever it is: who watches must not die of it, the next attempt is near
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(CancellationToken ct)
    {
        var connecting = ConnectionMultiplexer.ConnectAsync(_options.ForDriver());
        try
        {
            return await connecting.WaitAsync(_options.RenewAfter, _clock, ct);
        }
        catch
        {
            // One that comes too late is nobody's: it must not stay open.
            _ = connecting.ContinueWith(
                late => late.Status == TaskStatus.RanToCompletion ? late.Result.DisposeAsync().AsTask() : Task.CompletedTask,
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>Everything that the driver throws because of Redis or the way to it.</summary>
    public static bool IsTrouble(Exception error) =>
        error is RedisException or TimeoutException or ObjectDisposedException or InvalidOperationException or IOException or System.Net.Sockets.SocketException
        || (error is OperationCanceledException { CancellationToken.IsCancellationRequested: false });

    private async Task GiveUpAsync()
    {
        if (Interlocked.Exchange(ref _connection!, null) is not { } connection)
        {
            return;
        }
        try
        {
            await connection.CloseAsync(allowCommandsToComplete: false).WaitAsync(TimeSpan.FromSeconds(1), _clock);
            await connection.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(1), _clock);
        }
        catch (Exception error) when (IsTrouble(error))
        {
            // It was given up because it does not work.
        }
    }
}
