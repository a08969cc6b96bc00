using System.Globalization;
using System.Text;
using FhirCore.Records;

namespace Storage.RocksDb.Native;

/// <summary>
/// One open RocksDB database. Whoever uses it holds a lease, so that it is closed only when nobody is inside:
/// a native handle used after its close would take the process down.
/// </summary>
internal sealed unsafe class Engine
{
    private const int Retired = int.MinValue / 2;
    private static readonly string[] Names = ["default", "records", "index", "history", "log"];

    private readonly nint _db;
    private readonly nint[] _families;
    private readonly uint[] _familyIds;
    private readonly nint _write;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _users;
    private int _closing;

    private Engine(nint db, nint[] families)
    {
        _db = db;
        _families = families;
        _familyIds = [.. families.Select(RocksNative.rocksdb_column_family_handle_get_id)];
        Latest = RocksNative.rocksdb_readoptions_create();
        _write = RocksNative.rocksdb_writeoptions_create();
        RocksNative.rocksdb_writeoptions_set_sync(_write, 1);
    }

    /// <summary>Read options that see the latest state.</summary>
    public nint Latest { get; }

    public nint Db => _db;

    /// <summary>Completed when the last lease is given back after <see cref="Retire"/> and the files are closed.</summary>
    public Task Closed => _closed.Task;

    /// <exception cref="StoreUnavailableException">Another process has it open, or the disk refuses.</exception>
    /// <exception cref="StoreCorruptException">Its files are damaged.</exception>
    public static Engine Open(RocksDbOptions options)
    {
        RocksNative.UseShippedLibrary();
        using var settings = new EngineSettings(options);
        var path = NullTerminated(options.Directory);
        var names = Names.Select(NullTerminated).ToArray();
        var families = new nint[Names.Length];
        nint db;
        byte* error;
        fixed (byte* p = path, n0 = names[0], n1 = names[1], n2 = names[2], n3 = names[3], n4 = names[4])
        fixed (nint* familyOptions = settings.Families, handles = families)
        {
            var list = stackalloc byte*[] { n0, n1, n2, n3, n4 };
            db = RocksNative.rocksdb_open_column_families(settings.Database, p, Names.Length, list, familyOptions, handles, out error);
        }
        EngineErrors.ThrowIfSet(error, $"opening {options.Directory}");
        return new Engine(db, families);
    }

    public nint Handle(Family family) => _families[(int)family];

    /// <summary>Number of the family in a write batch.</summary>
    public uint BatchId(Family family) => _familyIds[(int)family];

    /// <returns><see langword="false"/> when the engine is being closed.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _users) > 0)
        {
            return true;
        }
        Exit();
        return false;
    }

    /// <summary>
    /// Does what may be left undone: nothing where the engine is being closed, its disk is full or gone, or a file is damaged. Who reads or
    /// writes is told of that.
    /// </summary>
    /// <returns>Whether it was done.</returns>
    public bool TryKeepHouse(Action<Engine> work)
    {
        if (!TryEnter())
        {
            return false;
        }
        try
        {
            work(this);
            return true;
        }
        catch (Exception error) when (error is StoreUnavailableException or StoreCorruptException)
        {
            return false;
        }
        finally
        {
            Exit();
        }
    }

    public void Exit()
    {
        if (Interlocked.Decrement(ref _users) == Retired)
        {
            Close();
        }
    }

    /// <summary>Lets nobody in any more and closes the files when the last one is out.</summary>
    public void Retire()
    {
        if (Volatile.Read(ref _users) >= 0 && Interlocked.Add(ref _users, Retired) == Retired)
        {
            Close();
        }
    }

    /// <summary>Copies the row into <paramref name="buffer"/>, which is replaced by a larger one where it is too small.</summary>
    /// <returns>Length of the row, or -1 where there is none.</returns>
    public int Get(Family family, nint readOptions, ReadOnlySpan<byte> key, ref byte[] buffer)
    {
        while (true)
        {
            byte fits, found;
            nuint length;
            byte* error;
            fixed (byte* k = key, b = buffer)
            {
                fits = RocksNative.rocksdb_get_into_buffer_cf(
                    _db, readOptions, Handle(family), k, (nuint)key.Length, b, (nuint)buffer.Length, out length, out found, out error);
            }
            EngineErrors.ThrowIfSet(error, "reading a row");
            if (found == 0)
            {
                return -1;
            }
            if (fits != 0)
            {
                return (int)length;
            }
            buffer = new byte[(int)length + (int)(length / 4)];
        }
    }

    /// <returns>The row, or null where there is none.</returns>
    public byte[]? Get(Family family, nint readOptions, ReadOnlySpan<byte> key)
    {
        var buffer = ScratchBuffer.Take();
        try
        {
            var length = Get(family, readOptions, key, ref buffer);
            return length < 0 ? null : buffer.AsSpan(0, length).ToArray();
        }
        finally
        {
            ScratchBuffer.Give(buffer);
        }
    }

    /// <returns>Rows of the family, about: what is replaced or deleted and not yet cleared away counts too.</returns>
    public long AboutRows(Family family)
    {
        fixed (byte* name = "rocksdb.estimate-num-keys\0"u8)
        {
            return RocksNative.rocksdb_property_int_cf(_db, Handle(family), name, out var rows) == 0 ? (long)rows : 0;
        }
    }

    /// <summary>Applies a batch in the engine's own form, all or nothing, and returns when it is synced to the disk.</summary>
    public void Write(ReadOnlySpan<byte> batch)
    {
        fixed (byte* bytes = batch)
        {
            var native = RocksNative.rocksdb_writebatch_create_from(bytes, (nuint)batch.Length);
            RocksNative.rocksdb_write(_db, _write, native, out var error);
            RocksNative.rocksdb_writebatch_destroy(native);
            EngineErrors.ThrowIfSet(error, "writing a commit");
        }
    }

    /// <summary>Writes a consistent copy into a folder that does not exist; files that cannot change any more are linked, not copied.</summary>
    public void Checkpoint(string directory)
    {
        var checkpoint = RocksNative.rocksdb_checkpoint_object_create(_db, out var error);
        EngineErrors.ThrowIfSet(error, "preparing a backup");
        fixed (byte* path = NullTerminated(directory))
        {
            RocksNative.rocksdb_checkpoint_create(checkpoint, path, 0, out error);
        }
        RocksNative.rocksdb_checkpoint_object_destroy(checkpoint);
        EngineErrors.ThrowIfSet(error, $"writing a backup to {directory}");
    }

    /// <param name="files">Young files of a family at which they are put together with older ones, from 1 on.</param>
    public void SetCompactionTrigger(int files)
    {
        var text = NullTerminated(files.ToString(CultureInfo.InvariantCulture));
        fixed (byte* name = "level0_file_num_compaction_trigger\0"u8, value = text)
        {
            foreach (var family in _families)
            {
                RocksNative.rocksdb_set_options_cf(_db, family, 1, &name, &value, out var error);
                EngineErrors.ThrowIfSet(error, "setting when files are put together");
            }
        }
    }

    /// <summary>Writes out sorted what only memory and the log of recent commits hold, so that the next open has nothing to replay.</summary>
    public void Flush()
    {
        var options = RocksNative.rocksdb_flushoptions_create(); // as they are made, they wait
        byte* error;
        fixed (nint* families = _families)
        {
            RocksNative.rocksdb_flush_cfs(_db, options, families, _families.Length, out error);
        }
        RocksNative.rocksdb_flushoptions_destroy(options);
        EngineErrors.ThrowIfSet(error, "writing out recent commits");
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
        {
            return;
        }
        RocksNative.rocksdb_writeoptions_destroy(_write);
        RocksNative.rocksdb_readoptions_destroy(Latest);
        foreach (var family in _families)
        {
            RocksNative.rocksdb_column_family_handle_destroy(family);
        }
        RocksNative.rocksdb_close(_db);
        _closed.SetResult();
    }

    private static byte[] NullTerminated(string text) => Encoding.UTF8.GetBytes(text + '\0');
}
