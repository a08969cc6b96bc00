using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirServer.Http;

namespace FhirServer.Observability;

/// <summary>Counts what becomes of commits on their way to the engine and what a request costs, and wakes who follows the change log.</summary>
internal sealed class CountedRecordStore(IRecordStore inner) : IRecordStore
{
    private long _done;
    private long _conflicts;
    private long _matches;
    private long _failed;
    private long _rows;

    public IRecordStore Inner => inner;

    public ChangeSignal Changes { get; } = new();

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(commit);
        RequestCost.Write(commit.Writes.Length); // refused ones, too: they were made
        try
        {
            var result = await inner.CommitAsync(commit, ct);
            switch (result)
            {
                case CommitResult.Done:
                    Interlocked.Increment(ref _done);
                    Interlocked.Add(ref _rows, commit.Writes.Length);
                    PulseIfJournalled(commit);
                    break;
                case CommitResult.VersionConflict:
                    Interlocked.Increment(ref _conflicts);
                    break;
                default:
                    Interlocked.Increment(ref _matches);
                    break;
            }
            return result;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            Interlocked.Increment(ref _failed);
            throw;
        }
    }

    private void PulseIfJournalled(Commit commit)
    {
        foreach (var write in commit.Writes)
        {
            if (write.Journal)
            {
                Changes.Pulse();
                return;
            }
        }
    }

    public void Write(MetricsText text)
    {
        text.Counter("fhir_store_commits_total", "Commits by what became of them.")
            .Add(Volatile.Read(ref _done), ("result", "done"))
            .Add(Volatile.Read(ref _conflicts), ("result", "version-conflict"))
            .Add(Volatile.Read(ref _matches), ("result", "match-found"))
            .Add(Volatile.Read(ref _failed), ("result", "failed"));
        text.Counter("fhir_store_records_written_total", "Records written by commits.", Volatile.Read(ref _rows));
    }

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct)
    {
        RequestCost.Read(1);
        return inner.GetAsync(key, ct);
    }

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct)
    {
        RequestCost.Read(1);
        return inner.GetVersionAsync(key, version, ct);
    }

    public async ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        var page = await inner.QueryAsync(query, ct);
        RequestCost.Read(1 + page.Records.Count);
        return page;
    }

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct)
    {
        RequestCost.Read(1);
        return inner.CountAsync(type, where, atMost, ct);
    }

    public async ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct)
    {
        var page = await inner.HistoryAsync(query, ct);
        RequestCost.Read(1 + page.Versions.Count);
        return page;
    }

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => inner.ReadChangesAsync(after, limit, ct);

    public ValueTask<IReadOnlyList<JournalRow>> ReadJournalAsync(long after, int limit, CancellationToken ct) => inner.ReadJournalAsync(after, limit, ct);

    public ValueTask<long> StampAsync(string name, CancellationToken ct) => inner.StampAsync(name, ct);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
