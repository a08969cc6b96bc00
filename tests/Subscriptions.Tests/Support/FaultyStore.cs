using FhirCore;
using FhirCore.Records;

namespace Subscriptions.Tests.Support;

/// <summary>A store whose commits fail as planned: not carried out, or carried out and the answer lost.</summary>
internal sealed class FaultyStore : IRecordStore
{
    private IRecordStore _inner = null!;
    private Queue<int> _plan = new();

    public FaultyStore Over(IRecordStore inner)
    {
        _inner = inner;
        return this;
    }

    /// <param name="faults">For each commit to come: 1 is not carried out, 2 is carried out and its answer lost, others succeed.</param>
    public void Plan(IEnumerable<int> faults) => _plan = new(faults);

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        var fault = _plan.TryDequeue(out var planned) ? planned : 0;
        if (fault == 1)
        {
            throw new StoreUnavailableException("planned");
        }
        var result = await _inner.CommitAsync(commit, ct);
        return fault == 2 ? throw new StoreUnavailableException("planned, after the fact") : result;
    }

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => _inner.GetAsync(key, ct);

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => _inner.GetVersionAsync(key, version, ct);

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => _inner.QueryAsync(query, ct);

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => _inner.CountAsync(type, where, atMost, ct);

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => _inner.HistoryAsync(query, ct);

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => _inner.ReadChangesAsync(after, limit, ct);

    public ValueTask<long> StampAsync(string name, CancellationToken ct) => _inner.StampAsync(name, ct);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}
