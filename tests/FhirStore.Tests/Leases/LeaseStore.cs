using FhirCore;
using FhirCore.Records;

namespace FhirStore.Tests.Leases;

/// <summary>What a lease asks of a store: one record, and a commit over it. Whoever asks for more in these tests has made a mistake.</summary>
internal abstract class LeaseStore(IRecordStore inner) : IRecordStore
{
    private const string NotAsked = "A lease reads its record and commits; it asks for nothing else.";

    protected IRecordStore Inner => inner;

    public abstract ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct);

    public abstract Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct);

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => throw new NotSupportedException(NotAsked);

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => throw new NotSupportedException(NotAsked);

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => throw new NotSupportedException(NotAsked);

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => throw new NotSupportedException(NotAsked);

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => throw new NotSupportedException(NotAsked);

    public ValueTask<long> StampAsync(string name, CancellationToken ct) => throw new NotSupportedException(NotAsked);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
