using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Writing;

/// <summary>A write whose rows are made as far as they can be outside the commit loop, on the caller's own thread.</summary>
internal sealed class PreparedWrite(RecordWrite write, byte[] index, byte[] row, byte[]? change)
{
    public RecordWrite Write { get; } = write;

    public ResourceKey Key => Write.Record.Key;

    /// <summary>Index block with the store's own entries; empty for a tombstone.</summary>
    public byte[] Index { get; } = index;

    public byte[] Row { get; } = row;

    /// <summary>Null where it is not journalled.</summary>
    public byte[]? Change { get; } = change;
}

/// <summary>A commit that waits for the loop, and the promise of its result.</summary>
internal sealed class PreparedCommit
{
    private readonly TaskCompletionSource<CommitResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <exception cref="ArgumentException">The commit breaks a rule of the port.</exception>
    public PreparedCommit(Commit commit, CancellationToken ct)
    {
        Cancellation = ct;
        Conditions = commit.Conditions;
        Removals = commit.Removals;
        Stamps = commit.Stamps;
        Writes = new PreparedWrite[commit.Writes.Length];
        for (var i = 0; i < Writes.Length; i++)
        {
            Writes[i] = Prepare(commit.Writes[i]);
        }
        ThrowIfAKeyRepeats();
    }

    public PreparedWrite[] Writes { get; }

    public ImmutableArray<RecordCondition> Conditions { get; }

    public ImmutableArray<ResourceKey> Removals { get; }

    public ImmutableArray<string> Stamps { get; }

    /// <summary>A commit whose caller has gone before the loop came to it is dropped.</summary>
    public CancellationToken Cancellation { get; }

    public Task<CommitResult> Result => _result.Task;

    /// <summary>Kept back until the batch is on disk: also a refusal, which may rest on a commit of the same batch.</summary>
    public CommitResult? Verdict { get; set; }

    public bool Touches(ResourceKey key)
    {
        foreach (var write in Writes)
        {
            if (write.Key == key)
            {
                return true;
            }
        }
        return Removals.Contains(key);
    }

    public void Complete() => _result.TrySetResult(Verdict!);

    public void Fail(Exception why) => _result.TrySetException(why);

    public void Cancel() => _result.TrySetCanceled(Cancellation);

    private static PreparedWrite Prepare(RecordWrite write)
    {
        var record = write.Record;
        if (write.Expected < 0 || record.Version != write.Expected + 1)
        {
            throw new ArgumentException($"A write of {record.Key} over version {write.Expected} must make version {write.Expected + 1}, not {record.Version}.");
        }
        if (record.Deleted && !(record.Body.IsEmpty && record.Index.Block.IsEmpty))
        {
            throw new ArgumentException($"The tombstone of {record.Key} has a body or index entries.");
        }
        var index = record.Deleted ? [] : IndexBlock.WithLastUpdated(record.Index.Block.Span, record.LastUpdated);
        return new(write, index, RecordRow.Make(record, index), write.Journal ? ChangeLogRow.Make(record, write.Cause) : null);
    }

    private void ThrowIfAKeyRepeats()
    {
        if (Writes.Length + Removals.Length < 2)
        {
            return;
        }
        var keys = new HashSet<ResourceKey>(Writes.Length + Removals.Length);
        foreach (var write in Writes)
        {
            ThrowIfKnown(write.Key);
        }
        foreach (var key in Removals)
        {
            ThrowIfKnown(key);
        }

        void ThrowIfKnown(ResourceKey key)
        {
            if (!keys.Add(key))
            {
                throw new ArgumentException($"{key} stands in more than one write or removal of a commit.");
            }
        }
    }
}
