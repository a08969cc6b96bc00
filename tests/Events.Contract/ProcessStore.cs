using FhirCore;
using FhirCore.Records;

namespace Events.Contract;

/// <summary>One process's way to the store. Nothing passes any more once the process is dead, or while the store is away.</summary>
public sealed class ProcessStore(IRecordStore inner) : IRecordStore
{
    private volatile bool _dead;
    private volatile bool _away;
    private int _answersToLose;

    public bool IsAway
    {
        get => _away || _dead;
        set => _away = value;
    }

    /// <summary>A commit of this process found that another had been there before.</summary>
    public event Action? Conflicted;

    /// <summary>What it is about to do it does not do.</summary>
    public void Die() => _dead = true;

    /// <summary>The next commits are carried out, and their callers told that the store is away.</summary>
    public void LoseAnswers(int commits) => Volatile.Write(ref _answersToLose, commits);

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        var result = await Way().CommitAsync(commit, ct);
        if (Interlocked.Decrement(ref _answersToLose) >= 0)
        {
            throw new StoreUnavailableException("The answer is lost.");
        }
        if (result is not CommitResult.Done)
        {
            Conflicted?.Invoke();
        }
        return _dead ? throw Away() : result;
    }

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => Way().GetAsync(key, ct);

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => Way().GetVersionAsync(key, version, ct);

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => Way().QueryAsync(query, ct);

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => Way().CountAsync(type, where, atMost, ct);

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => Way().HistoryAsync(query, ct);

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => Way().ReadChangesAsync(after, limit, ct);

    public ValueTask<IReadOnlyList<JournalRow>> ReadJournalAsync(long after, int limit, CancellationToken ct) => Way().ReadJournalAsync(after, limit, ct);

    public ValueTask<long> StampAsync(string name, CancellationToken ct) => Way().StampAsync(name, ct);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IRecordStore Way() => IsAway ? throw Away() : inner;

    private static StoreUnavailableException Away() => new("Cut off by the test.");
}
