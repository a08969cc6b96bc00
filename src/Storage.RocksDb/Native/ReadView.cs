using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Native;

/// <summary>One state of the store, seen through several iterators and reads. Holds a lease on the engine.</summary>
internal sealed class ReadView : IDisposable
{
    private readonly nint _snapshot;
    private readonly nint _options;
    private bool _disposed;

    private ReadView(Engine engine, bool frozen)
    {
        Engine = engine;
        if (frozen)
        {
            _snapshot = RocksNative.rocksdb_create_snapshot(engine.Db);
            _options = RocksNative.rocksdb_readoptions_create();
            RocksNative.rocksdb_readoptions_set_snapshot(_options, _snapshot);
        }
        else
        {
            _options = engine.Latest;
        }
    }

    public Engine Engine { get; }

    /// <summary>A frozen state: what others write meanwhile is not seen.</summary>
    /// <returns>Null when the engine is being closed.</returns>
    public static ReadView? Freeze(Engine engine) => engine.TryEnter() ? new(engine, frozen: true) : null;

    /// <summary>The state of now, for the commit loop: nobody else writes.</summary>
    /// <returns>Null when the engine is being closed.</returns>
    public static ReadView? Follow(Engine engine) => engine.TryEnter() ? new(engine, frozen: false) : null;

    public int Get(Family family, ReadOnlySpan<byte> key, ref byte[] buffer) => Engine.Get(family, _options, key, ref buffer);

    public byte[]? Get(Family family, ReadOnlySpan<byte> key) => Engine.Get(family, _options, key);

    public RowIterator Rows(Family family, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => new(Engine, family, _snapshot, from, to);

    /// <summary>Rows whose keys begin with the prefix.</summary>
    public RowIterator Rows(Family family, ReadOnlySpan<byte> prefix)
    {
        Span<byte> to = stackalloc byte[prefix.Length];
        return Rows(family, prefix, to[..RowKeys.After(prefix, to)]);
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        if (_snapshot != 0)
        {
            RocksNative.rocksdb_readoptions_destroy(_options);
            RocksNative.rocksdb_release_snapshot(Engine.Db, _snapshot);
        }
        Engine.Exit();
    }
}
