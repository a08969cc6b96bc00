namespace Storage.RocksDb.Querying;

/// <summary>
/// Ids of one type in ordinal order, or against it, without repeats: the common form of every index, so that they can be
/// intersected and united by leaping. A stream may give ids that do not match (never the other way round), unless it is exact.
/// </summary>
internal abstract class IdStream : IDisposable
{
    /// <summary>Every id it gives is of a current record that matches what the stream was made for.</summary>
    public abstract bool Exact { get; }

    public abstract bool Valid { get; }

    /// <summary>Good until the stream moves.</summary>
    public abstract ReadOnlySpan<byte> Id { get; }

    /// <summary>To the first id.</summary>
    public abstract void Start();

    /// <summary>To the first id at or after this one, in the stream's direction.</summary>
    public abstract void Seek(ReadOnlySpan<byte> id);

    public abstract void Next();

    public virtual void Dispose()
    {
    }
}
