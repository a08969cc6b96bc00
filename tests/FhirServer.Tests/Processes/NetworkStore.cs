using FhirCore;
using FhirCore.Records;

namespace FhirServer.Tests.Processes;

/// <summary>A store as it is over a network: others come in between at every call; it may be slow, or away.</summary>
internal sealed class NetworkStore(IRecordStore inner) : IRecordStore, IEngineProbe
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _release = Done();
    private volatile bool _away;
    private long _waiting;

    /// <summary>Calls that are held up at this moment.</summary>
    public long Waiting => Interlocked.Read(ref _waiting);

    /// <summary>How often it was asked whether it is well.</summary>
    public int Checks { get; private set; }

    public long MostRecordBytes { get; set; } = long.MaxValue;

    public string Engine => "NetworkStore";

    public bool IsRequired => true;

    public void GoAway() => _away = true;

    /// <summary>From now on every call waits.</summary>
    public void HoldUp()
    {
        lock (_gate)
        {
            _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Restore()
    {
        _away = false;
        lock (_gate)
        {
            _release.TrySetResult();
        }
    }

    public async ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        Checks++;
        await WayAsync(ct);
        return null;
    }

    public async ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct)
    {
        await WayAsync(ct);
        var found = await inner.GetAsync(key, ct);
        await Task.Yield();
        return found;
    }

    public async ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct)
    {
        await WayAsync(ct);
        return await inner.GetVersionAsync(key, version, ct);
    }

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        await WayAsync(ct);
        foreach (var write in commit.Writes)
        {
            if (write.Record.Body.Length > MostRecordBytes)
            {
                throw new RecordTooLargeException(write.Record.Key, write.Record.Body.Length, MostRecordBytes);
            }
        }
        return await inner.CommitAsync(commit, ct);
    }

    public async ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        await WayAsync(ct);
        return await inner.QueryAsync(query, ct);
    }

    public async ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct)
    {
        await WayAsync(ct);
        return await inner.CountAsync(type, where, atMost, ct);
    }

    public async ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct)
    {
        await WayAsync(ct);
        return await inner.HistoryAsync(query, ct);
    }

    public async ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct)
    {
        await WayAsync(ct);
        return await inner.ReadChangesAsync(after, limit, ct);
    }

    public async ValueTask<long> StampAsync(string name, CancellationToken ct)
    {
        await WayAsync(ct);
        return await inner.StampAsync(name, ct);
    }

    /// <summary>Others still use it: it goes with the test.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task WayAsync(CancellationToken ct)
    {
        await Task.Yield();
        Task release;
        lock (_gate)
        {
            release = _release.Task;
        }
        Interlocked.Increment(ref _waiting);
        try
        {
            await release.WaitAsync(ct);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
        if (_away)
        {
            throw new StoreUnavailableException("The network store is away.");
        }
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        done.SetResult();
        return done;
    }
}
