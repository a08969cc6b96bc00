namespace FhirCore.Records;

/// <summary>
/// Everything a store holds, row by row as it stands on the engine (ciphertext stays ciphertext), and the way to put such rows into
/// another store: for copies between engines and for checks of the whole. Every implementation passes <c>StoreCopyContract</c>.
/// </summary>
/// <remarks>
/// Rows are the journal, by sequence, then the current records, by key. The record at <see cref="MarkKey"/> is not among them: it
/// says how far a copy has come, and a store that has it is not whole.
/// </remarks>
public interface IStoreCopy
{
    /// <summary>Where a copy keeps its progress in the target until it is done.</summary>
    static readonly ResourceKey MarkKey = new("_Copy", "progress");

    /// <summary>Left by a copy out of an engine whose sequences have gaps, for whoever would take a gap for a loss. A record like any other.</summary>
    static readonly ResourceKey GapsKey = new("_Copy", "gaps");

    ValueTask<StoreExtent> MeasureAsync(CancellationToken ct);

    /// <param name="after"><see cref="StorePosition.Start"/>, or where an earlier reading stopped.</param>
    /// <returns>Each row after that position. Whether rows written meanwhile are among them is not promised.</returns>
    /// <exception cref="StoreCorruptException">A row cannot be read.</exception>
    IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, CancellationToken ct);

    /// <summary>
    /// Puts rows that <see cref="ReadAsync"/> gave, in its order, as they are. When it returns they survive kill -9; when the process
    /// dies meanwhile, the mark is never there without the rows before it. Rows that are there already are replaced by themselves, so a batch may
    /// be written again. The next change gets a sequence above those written. Nobody may commit at the same time.
    /// </summary>
    Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct);
}

/// <summary>How much there is.</summary>
/// <param name="LogEnd">Sequence of the last change.</param>
/// <param name="Journal">Rows of the journal, about.</param>
/// <param name="Records">Current records, about.</param>
/// <param name="IsGapless">The engine gives every sequence from 1 to a change, so that a hole means a loss.</param>
public sealed record StoreExtent(long LogEnd, long Journal, long Records, bool IsGapless);

/// <summary>One row of a store.</summary>
public abstract record StoreRow
{
    private StoreRow()
    {
    }

    public abstract StorePosition Position { get; }

    /// <summary>A change and the version it made, whether that is current or past.</summary>
    /// <param name="Version">Without index entries. Null where it is gone: its record was removed, or replaced by a write that was not journalled.</param>
    public sealed record Journal(ChangeRow Change, StoredRecord? Version) : StoreRow
    {
        public override StorePosition Position => new(Change.Sequence, null);
    }

    /// <summary>A current record, tombstones included, with its index entries.</summary>
    /// <param name="Sequence">Of the change that made it; 0 where it was not journalled.</param>
    public sealed record Current(StoredRecord Record, long Sequence) : StoreRow
    {
        public override StorePosition Position => new(long.MaxValue, Record.Key);
    }
}

/// <summary>A place in the order of rows.</summary>
/// <param name="Sequence">Of a journal's row; <see cref="long.MaxValue"/> once the journal is over.</param>
/// <param name="Key">Of a current record; null within the journal, or before the first record.</param>
public readonly record struct StorePosition(long Sequence, ResourceKey? Key) : IComparable<StorePosition>
{
    public static StorePosition Start => default;

    public bool IsInJournal => Sequence < long.MaxValue;

    public int CompareTo(StorePosition other)
    {
        var bySequence = Sequence.CompareTo(other.Sequence);
        return bySequence != 0 ? bySequence : Comparer<ResourceKey?>.Default.Compare(Key, other.Key);
    }
}
