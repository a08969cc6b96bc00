using System.Collections.Immutable;

namespace FhirCore.Records;

/// <summary>One record to write as part of a commit.</summary>
/// <param name="Expected">Version the current record must have; 0 when there must be none at all, not even a tombstone.</param>
/// <param name="Journal">
/// True keeps the replaced version in history and appends a <see cref="ChangeRow"/> in the same commit. Internal records are not journalled.
/// </param>
/// <param name="Cause">Why, for readers of the change log: <c>create</c>, <c>update</c>, <c>delete</c>, <c>book</c>, <c>hold-expired</c>...</param>
public sealed record RecordWrite(StoredRecord Record, long Expected, bool Journal, string Cause);

/// <summary>Something that must hold at the moment of the commit, checked inside it.</summary>
public abstract record RecordCondition
{
    private RecordCondition()
    {
    }

    /// <summary>The record stands at this version (0: there is none).</summary>
    public sealed record VersionIs(ResourceKey Key, long Version) : RecordCondition;

    /// <summary>
    /// No current record of the type matches, those named in <paramref name="Except"/> and those written by this same commit aside.
    /// Commits with an equal condition are serialized, also where the engine runs them in parallel.
    /// </summary>
    public sealed record NoneMatch(string Type, Predicate Where, ImmutableSortedSet<string> Except) : RecordCondition;
}

/// <summary>All of it happens, or none. A key stands in at most one write or removal.</summary>
/// <param name="Removals">Internal records to remove without a trace.</param>
public sealed record Commit(
    ImmutableArray<RecordWrite> Writes, ImmutableArray<RecordCondition> Conditions, ImmutableArray<ResourceKey> Removals)
{
    /// <summary>
    /// Names of stamps this commit moves (<see cref="IRecordStore.StampAsync"/>), such as <c>Slot/</c> and the id of a schedule
    /// whose slots it writes. At most 100 characters each; a name may repeat.
    /// </summary>
    public ImmutableArray<string> Stamps { get; init; } = [];

    public static Commit Of(params ReadOnlySpan<RecordWrite> writes) => new([.. writes], [], []);
}

public abstract record CommitResult
{
    private CommitResult()
    {
    }

    /// <summary>On disk, synced.</summary>
    /// <param name="Sequence">Of the last change row this commit appended, or of the log's end where it appended none.</param>
    public sealed record Done(long Sequence) : CommitResult;

    /// <summary>Nothing was written: the record stands at another version than a write or condition expected.</summary>
    /// <param name="Found">0 where there is none.</param>
    public sealed record VersionConflict(ResourceKey Key, long Expected, long Found) : CommitResult;

    /// <summary>Nothing was written: a <see cref="RecordCondition.NoneMatch"/> found this record.</summary>
    public sealed record MatchFound(RecordCondition.NoneMatch Condition, ResourceKey Key) : CommitResult;
}

/// <summary>A change of the log: identity and time only, never content. The content is the version it names.</summary>
/// <param name="Sequence">Grows with every row; gaps are allowed.</param>
public sealed record ChangeRow(
    long Sequence, ResourceKey Key, long Version, DateTimeOffset At, bool Deleted, string Partition, string Cause);

/// <param name="Version">Null where it is gone: its record was removed, or replaced by a write that was not journalled.</param>
public sealed record JournalRow(ChangeRow Change, StoredRecord? Version);
