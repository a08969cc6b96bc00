using System.Runtime.InteropServices;

namespace Storage.RocksDb.Native;

/// <summary>Walks rows of one family between two bounds. The spans it gives are the engine's memory, good until it moves.</summary>
internal sealed unsafe class RowIterator : IDisposable
{
    private readonly nint _options;
    private readonly byte* _bounds;
    private nint _iterator;

    /// <param name="snapshot">0 for the state of now.</param>
    /// <param name="from">First key; empty for the family's first.</param>
    /// <param name="to">Excluded; empty for no end.</param>
    public RowIterator(Engine engine, Family family, nint snapshot, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        _options = RocksNative.rocksdb_readoptions_create();
        if (snapshot != 0)
        {
            RocksNative.rocksdb_readoptions_set_snapshot(_options, snapshot);
        }
        _bounds = (byte*)NativeMemory.Alloc((nuint)(from.Length + to.Length + 1)); // the engine keeps pointers to the bounds
        from.CopyTo(new Span<byte>(_bounds, from.Length));
        to.CopyTo(new Span<byte>(_bounds + from.Length, to.Length));
        if (!from.IsEmpty)
        {
            RocksNative.rocksdb_readoptions_set_iterate_lower_bound(_options, _bounds, (nuint)from.Length);
        }
        if (!to.IsEmpty)
        {
            RocksNative.rocksdb_readoptions_set_iterate_upper_bound(_options, _bounds + from.Length, (nuint)to.Length);
        }
        _iterator = RocksNative.rocksdb_create_iterator_cf(engine.Db, _options, engine.Handle(family));
    }

    /// <summary>Whether it stands on a row. Where it does not, an error of the engine is thrown rather than taken for the end.</summary>
    public bool Valid
    {
        get
        {
            if (RocksNative.rocksdb_iter_valid(_iterator) != 0)
            {
                return true;
            }
            RocksNative.rocksdb_iter_get_error(_iterator, out var error);
            EngineErrors.ThrowIfSet(error, "walking rows");
            return false;
        }
    }

    public ReadOnlySpan<byte> Key
    {
        get
        {
            nuint length;
            var key = RocksNative.rocksdb_iter_key(_iterator, &length);
            return new(key, (int)length);
        }
    }

    public ReadOnlySpan<byte> Value
    {
        get
        {
            nuint length;
            var value = RocksNative.rocksdb_iter_value(_iterator, &length);
            return new(value, (int)length);
        }
    }

    public void First() => RocksNative.rocksdb_iter_seek_to_first(_iterator);

    public void Last() => RocksNative.rocksdb_iter_seek_to_last(_iterator);

    /// <summary>To the first row at or after the key.</summary>
    public void Seek(ReadOnlySpan<byte> key)
    {
        fixed (byte* k = key)
        {
            RocksNative.rocksdb_iter_seek(_iterator, k, (nuint)key.Length);
        }
    }

    /// <summary>To the last row at or before the key.</summary>
    public void SeekBack(ReadOnlySpan<byte> key)
    {
        fixed (byte* k = key)
        {
            RocksNative.rocksdb_iter_seek_for_prev(_iterator, k, (nuint)key.Length);
        }
    }

    public void Next() => RocksNative.rocksdb_iter_next(_iterator);

    public void Previous() => RocksNative.rocksdb_iter_prev(_iterator);

    public void Dispose()
    {
        if (_iterator != 0)
        {
            RocksNative.rocksdb_iter_destroy(_iterator);
            _iterator = 0;
            RocksNative.rocksdb_readoptions_destroy(_options);
            NativeMemory.Free(_bounds);
        }
    }
}
