using FhirCore.Records;

namespace Storage.RocksDb;

/// <summary>Where the store lies and how much memory it may take.</summary>
public sealed record RocksDbOptions
{
    /// <summary>Folder of this store alone; made when it does not exist.</summary>
    public required string Directory { get; init; }

    /// <summary>Bytes for cached blocks, their indexes and filters, and the write buffers, which are charged to it.</summary>
    public long CacheBytes { get; init; } = 96L << 20;

    /// <summary>Bytes of commits kept in memory until they are written out sorted. A part of <see cref="CacheBytes"/>.</summary>
    public long WriteBufferBytes { get; init; } = 48L << 20;

    /// <summary>Told of every record written.</summary>
    public IWriteListener? Listener { get; init; }

    /// <summary>Size at which the log of recent commits is closed. What it holds is replayed at start.</summary>
    public long MaxLogBytes { get; init; } = 64L << 20;

    /// <summary>Commits that may wait for the disk. A further one waits to be let in.</summary>
    public int MaxWaitingCommits { get; init; } = 1024;

    /// <summary>
    /// Opens a store whose log of recent commits is damaged by dropping everything from the damage on, acknowledged commits too.
    /// Off, such a store is refused; an unfinished last entry, as a crash leaves it, is never damage.
    /// </summary>
    public bool DropDamagedLog { get; init; }

    /// <exception cref="ArgumentException">A value cannot work.</exception>
    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Directory);
        if (WriteBufferBytes < 1 << 20 || CacheBytes < WriteBufferBytes)
        {
            throw new ArgumentException($"{nameof(WriteBufferBytes)} is at least 1 MB and at most {nameof(CacheBytes)}.");
        }
        if (MaxLogBytes < 1 << 20)
        {
            throw new ArgumentException($"{nameof(MaxLogBytes)} is at least 1 MB.");
        }
        if (MaxWaitingCommits < 1)
        {
            throw new ArgumentException($"{nameof(MaxWaitingCommits)} is at least 1.");
        }
    }
}
