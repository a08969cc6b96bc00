using FhirCore;
using FhirCore.Records;

namespace Auditing.Tests;

/// <summary>Passes everything on.</summary>
internal abstract class PassingStore(IRecordStore inner) : IRecordStore
{
    protected IRecordStore Inner => inner;

    public virtual ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => inner.GetAsync(key, ct);

    public virtual Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct) => inner.CommitAsync(commit, ct);

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => inner.GetVersionAsync(key, version, ct);

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => inner.QueryAsync(query, ct);

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => inner.CountAsync(type, where, atMost, ct);

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => inner.HistoryAsync(query, ct);

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => inner.ReadChangesAsync(after, limit, ct);

    public ValueTask<long> StampAsync(string name, CancellationToken ct) => inner.StampAsync(name, ct);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

/// <summary>Commits, and says that it could not.</summary>
internal sealed class ForgetfulStore(IRecordStore inner) : PassingStore(inner)
{
    public bool Forgets { get; set; }

    public override async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        var result = await Inner.CommitAsync(commit, ct);
        return Forgets ? throw new StoreUnavailableException("The answer is lost.") : result;
    }
}

/// <summary>Refuses commits, or lets them hang, as told.</summary>
internal sealed class AwayStore(IRecordStore inner) : PassingStore(inner)
{
    private volatile TaskCompletionSource? _hanging;

    public volatile bool Away;

    public void Hang() => _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Answer()
    {
        var hanging = _hanging;
        _hanging = null;
        hanging?.TrySetResult();
    }

    public override async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        if (_hanging is { } hanging)
        {
            await hanging.Task;
        }
        return Away ? throw new StoreUnavailableException("away") : await Inner.CommitAsync(commit, ct);
    }
}
