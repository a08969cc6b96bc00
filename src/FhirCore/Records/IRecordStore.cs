namespace FhirCore.Records;

/// <summary>
/// Where everything lives: resources, their history, the change log, and the server's own records. Bodies come encrypted.
/// Every implementation passes <c>RecordStoreContract</c>.
/// </summary>
/// <remarks>
/// Engine trouble surfaces as <see cref="StoreUnavailableException"/>, damage as <see cref="StoreCorruptException"/>;
/// no driver's exception leaves an adapter. A read sees every commit acknowledged before it began.
/// </remarks>
public interface IRecordStore : IAsyncDisposable
{
    /// <returns>The current version, a tombstone included; null where there never was one.</returns>
    ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct);

    /// <returns>That version, current or past; null where there is none.</returns>
    ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct);

    /// <summary>
    /// Checks the conditions and applies all writes in one atomic, durable step. After it returns <see cref="CommitResult.Done"/>
    /// the commit survives kill -9. Cancelling stops the wait, not a commit that has begun.
    /// </summary>
    Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct);

    ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct);

    /// <returns>How many current records match, or <paramref name="atMost"/> where there are that many or more.</returns>
    ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct);

    ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct);

    /// <returns>Rows with a sequence above <paramref name="after"/>, oldest first.</returns>
    ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct);

    /// <returns>The same rows with the versions they made, bodies as stored, without index entries; null where a version is gone.</returns>
    async ValueTask<IReadOnlyList<JournalRow>> ReadJournalAsync(long after, int limit, CancellationToken ct)
    {
        var changes = await ReadChangesAsync(after, limit, ct).ConfigureAwait(false);
        var rows = new JournalRow[changes.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new(changes[i], await GetVersionAsync(changes[i].Key, changes[i].Version, ct).ConfigureAwait(false) is { } version ? version with { Index = IndexEntries.None } : null);
        }
        return rows;
    }

    /// <summary>
    /// A number that every commit naming the stamp moves to a value it never had, before the commit is acknowledged. Whoever reads
    /// the stamp, then records, may keep what it read for as long as the stamp stays the same: nothing that the stamp stands for
    /// has changed. It tells of change only; its size and order mean nothing, and it may move without cause.
    /// </summary>
    ValueTask<long> StampAsync(string name, CancellationToken ct);
}

/// <summary>A part of the server that can fail by itself: the database, the cache. Readiness names those that do.</summary>
public interface IEngineProbe
{
    /// <summary>As the settings call it, such as <c>MongoDB</c>; goes into <c>/health/ready</c>.</summary>
    string Engine { get; }

    /// <summary>False where the server answers everything without it, only slower.</summary>
    bool IsRequired { get; }

    /// <returns>Null when it answers and takes writes; otherwise one line without secrets or addresses.</returns>
    ValueTask<string?> CheckAsync(CancellationToken ct);
}

/// <summary>Copies of a store that can be opened as a store: taken while it is in use.</summary>
public interface IBackup
{
    /// <summary>Writes a consistent copy of everything committed so far into a folder that must not exist yet.</summary>
    Task BackUpAsync(string directory, CancellationToken ct);
}

/// <summary>The engine is away, full, read-only or locked. Nothing was half-written; the caller may try again.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The engine cannot hold a record of this size. Nothing was written.</summary>
public sealed class RecordTooLargeException(ResourceKey key, long size, long most) : Exception($"{key} takes {size} bytes; this engine holds {most} at most.")
{
    public ResourceKey Key { get; } = key;

    /// <summary>Bytes, as stored.</summary>
    public long Most { get; } = most;
}

/// <summary>Bytes on the engine are not what was written.</summary>
public sealed class StoreCorruptException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Type of record and kind of damage, without ids or content: fit for a log.</summary>
    public string Summary { get; init; } = "the engine's own files";
}
