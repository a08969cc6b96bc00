using FhirCore;
using FhirCore.Records;

namespace Subscriptions.Tests.Reminders.Support;

/// <summary>A store that lets a test look on, or come between, when something is committed.</summary>
internal sealed class HookedStore(IRecordStore inner) : IRecordStore
{
    /// <summary>Told of each commit that was carried out, before whoever made it.</summary>
    public Func<Commit, Task> AfterCommit { get; set; } = static _ => Task.CompletedTask;

    /// <summary>May throw instead of carrying it out.</summary>
    public Action<Commit> BeforeCommit { get; set; } = static _ => { };

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        BeforeCommit(commit);
        var result = await inner.CommitAsync(commit, ct);
        if (result is CommitResult.Done)
        {
            await AfterCommit(commit);
        }
        return result;
    }

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => inner.GetAsync(key, ct);

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => inner.GetVersionAsync(key, version, ct);

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => inner.QueryAsync(query, ct);

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => inner.CountAsync(type, where, atMost, ct);

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => inner.HistoryAsync(query, ct);

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => inner.ReadChangesAsync(after, limit, ct);

    public ValueTask<long> StampAsync(string name, CancellationToken ct) => inner.StampAsync(name, ct);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
