using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Storage.RocksDb.Native;

/// <summary>
/// The part of RocksDB's C interface that this adapter uses, called directly: the package's managed binding generates code for
/// some 1,800 functions when it is first touched, which costs most of a second of start-up and a P/Invoke with marshalling per row.
/// </summary>
internal static unsafe partial class RocksNative
{
    private const string Library = "rocksdb";
    private static int _resolving;

    /// <summary>Lets the loader fall back to the build for musl, which the package ships under another name.</summary>
    public static void UseShippedLibrary()
    {
        if (Interlocked.Exchange(ref _resolving, 1) == 0)
        {
            NativeLibrary.SetDllImportResolver(typeof(RocksNative).Assembly, Resolve);
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library && !NativeLibrary.TryLoad(name, assembly, path, out var handle) && NativeLibrary.TryLoad(name + "-musl", assembly, path, out var musl)
            ? musl
            : 0;

    // Options
    [LibraryImport(Library)] public static partial nint rocksdb_options_create();
    [LibraryImport(Library)] public static partial void rocksdb_options_destroy(nint options);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_create_if_missing(nint options, byte value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_create_missing_column_families(nint options, byte value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_info_log_level(nint options, int value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_max_log_file_size(nint options, nuint value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_keep_log_file_num(nint options, nuint value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_stats_dump_period_sec(nint options, uint value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_stats_persist_period_sec(nint options, uint value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_max_open_files(nint options, int value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_max_background_jobs(nint options, int value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_max_total_wal_size(nint options, ulong value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_wal_recovery_mode(nint options, int value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_allow_concurrent_memtable_write(nint options, byte value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_bytes_per_sync(nint options, ulong value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_write_buffer_manager(nint options, nint manager);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_write_buffer_size(nint options, nuint value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_max_write_buffer_number(nint options, int value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_target_file_size_base(nint options, ulong value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_max_bytes_for_level_base(nint options, ulong value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_level0_file_num_compaction_trigger(nint options, int value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_compression(nint options, int value);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_block_based_table_factory(nint options, nint table);
    [LibraryImport(Library)] public static partial void rocksdb_options_set_optimize_filters_for_hits(nint options, int value);

    [LibraryImport(Library)] public static partial nint rocksdb_block_based_options_create();
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_destroy(nint table);
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_set_block_size(nint table, nuint value);
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_set_block_cache(nint table, nint cache);
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks(nint table, byte value);
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(nint table, byte value);
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(nint table, byte value);
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_set_filter_policy(nint table, nint policy);
    [LibraryImport(Library)] public static partial void rocksdb_block_based_options_set_format_version(nint table, int value);
    [LibraryImport(Library)] public static partial nint rocksdb_filterpolicy_create_bloom_full(double bitsPerKey);

    [LibraryImport(Library)] public static partial nint rocksdb_cache_create_lru(nuint capacity);
    [LibraryImport(Library)] public static partial void rocksdb_cache_destroy(nint cache);
    [LibraryImport(Library)] public static partial nint rocksdb_write_buffer_manager_create_with_cache(nuint size, nint cache, byte allowStall);
    [LibraryImport(Library)] public static partial void rocksdb_write_buffer_manager_destroy(nint manager);

    [LibraryImport(Library)] public static partial nint rocksdb_writeoptions_create();
    [LibraryImport(Library)] public static partial void rocksdb_writeoptions_destroy(nint options);
    [LibraryImport(Library)] public static partial void rocksdb_writeoptions_set_sync(nint options, byte value);

    [LibraryImport(Library)] public static partial nint rocksdb_readoptions_create();
    [LibraryImport(Library)] public static partial void rocksdb_readoptions_destroy(nint options);
    [LibraryImport(Library)] public static partial void rocksdb_readoptions_set_snapshot(nint options, nint snapshot);
    [LibraryImport(Library)] public static partial void rocksdb_readoptions_set_iterate_lower_bound(nint options, byte* key, nuint length);
    [LibraryImport(Library)] public static partial void rocksdb_readoptions_set_iterate_upper_bound(nint options, byte* key, nuint length);

    // Database
    [LibraryImport(Library)] public static partial nint rocksdb_open_column_families(nint options, byte* path, int count, byte** names, nint* familyOptions, nint* families, out byte* error);
    [LibraryImport(Library)] public static partial void rocksdb_close(nint db);
    [LibraryImport(Library)] public static partial void rocksdb_set_options_cf(nint db, nint family, int count, byte** names, byte** values, out byte* error);
    [LibraryImport(Library)] public static partial nint rocksdb_flushoptions_create();
    [LibraryImport(Library)] public static partial void rocksdb_flushoptions_destroy(nint options);
    [LibraryImport(Library)] public static partial void rocksdb_flush_cfs(nint db, nint options, nint* families, int count, out byte* error);
    [LibraryImport(Library)] public static partial uint rocksdb_column_family_handle_get_id(nint family);
    [LibraryImport(Library)] public static partial void rocksdb_column_family_handle_destroy(nint family);
    [LibraryImport(Library)] public static partial nint rocksdb_create_snapshot(nint db);
    [LibraryImport(Library)] public static partial void rocksdb_release_snapshot(nint db, nint snapshot);
    [LibraryImport(Library)] public static partial void rocksdb_free(void* memory);
    [LibraryImport(Library)] public static partial int rocksdb_property_int_cf(nint db, nint family, byte* name, out ulong value);

    // Reads
    [LibraryImport(Library)] public static partial byte rocksdb_get_into_buffer_cf(nint db, nint options, nint family, byte* key, nuint keyLength, byte* buffer, nuint size, out nuint length, out byte found, out byte* error);
    [LibraryImport(Library)] public static partial nint rocksdb_create_iterator_cf(nint db, nint options, nint family);
    [LibraryImport(Library)] public static partial void rocksdb_iter_destroy(nint iterator);
    [LibraryImport(Library)] public static partial void rocksdb_iter_seek_to_first(nint iterator);
    [LibraryImport(Library)] public static partial void rocksdb_iter_seek_to_last(nint iterator);
    [LibraryImport(Library)] public static partial void rocksdb_iter_seek(nint iterator, byte* key, nuint length);
    [LibraryImport(Library)] public static partial void rocksdb_iter_seek_for_prev(nint iterator, byte* key, nuint length);
    [LibraryImport(Library)] public static partial void rocksdb_iter_next(nint iterator);
    [LibraryImport(Library)] public static partial void rocksdb_iter_prev(nint iterator);
    [LibraryImport(Library)] public static partial void rocksdb_iter_get_error(nint iterator, out byte* error);

    // These three only look at the iterator's state, so they need not leave the collector's cooperative mode.
    [LibraryImport(Library), SuppressGCTransition] public static partial byte rocksdb_iter_valid(nint iterator);
    [LibraryImport(Library), SuppressGCTransition] public static partial byte* rocksdb_iter_key(nint iterator, nuint* length);
    [LibraryImport(Library), SuppressGCTransition] public static partial byte* rocksdb_iter_value(nint iterator, nuint* length);

    // Writes
    [LibraryImport(Library)] public static partial nint rocksdb_writebatch_create_from(byte* bytes, nuint length);
    [LibraryImport(Library)] public static partial void rocksdb_writebatch_destroy(nint batch);
    [LibraryImport(Library)] public static partial void rocksdb_write(nint db, nint options, nint batch, out byte* error);

    // Backup
    [LibraryImport(Library)] public static partial nint rocksdb_checkpoint_object_create(nint db, out byte* error);
    [LibraryImport(Library)] public static partial void rocksdb_checkpoint_create(nint checkpoint, byte* directory, ulong logSizeForFlush, out byte* error);
    [LibraryImport(Library)] public static partial void rocksdb_checkpoint_object_destroy(nint checkpoint);
}
