namespace Storage.RocksDb.Native;

/// <summary>The engine's options, made from ours. They are copied by the open; what they share (the cache) is counted by reference.</summary>
internal sealed class EngineSettings : IDisposable
{
    private const int WarnLevel = 2;
    private const int NoCompression = 0;
    private const int Lz4 = 4;
    private const int TolerateUnfinishedTail = 0;
    private const int StopAtDamage = 2;

    private readonly nint _cache;
    private readonly nint _writeBuffers;

    public EngineSettings(RocksDbOptions options)
    {
        _cache = RocksNative.rocksdb_cache_create_lru((nuint)options.CacheBytes);
        _writeBuffers = RocksNative.rocksdb_write_buffer_manager_create_with_cache((nuint)options.WriteBufferBytes, _cache, 0);
        Database = MakeDatabase(options);
        var buffer = (nuint)options.WriteBufferBytes / 2;
        Families =
        [
            MakeFamily(1 << 20, 4 << 10, NoCompression, filter: false),
            MakeFamily(buffer, 4 << 10, NoCompression, filter: true), // read one at a time, and ciphertext does not compress
            MakeFamily(buffer, 8 << 10, Lz4, filter: false),
            MakeFamily(buffer, 16 << 10, NoCompression, filter: true),
            MakeFamily(buffer, 16 << 10, Lz4, filter: false),
        ];
    }

    public nint Database { get; }

    public nint[] Families { get; }

    public void Dispose()
    {
        RocksNative.rocksdb_options_destroy(Database);
        foreach (var family in Families)
        {
            RocksNative.rocksdb_options_destroy(family);
        }
        RocksNative.rocksdb_write_buffer_manager_destroy(_writeBuffers);
        RocksNative.rocksdb_cache_destroy(_cache);
    }

    private nint MakeDatabase(RocksDbOptions options)
    {
        var o = RocksNative.rocksdb_options_create();
        RocksNative.rocksdb_options_set_create_if_missing(o, 1);
        RocksNative.rocksdb_options_set_create_missing_column_families(o, 1);
        RocksNative.rocksdb_options_set_info_log_level(o, WarnLevel);
        RocksNative.rocksdb_options_set_max_log_file_size(o, 1 << 20);
        RocksNative.rocksdb_options_set_keep_log_file_num(o, 3);
        RocksNative.rocksdb_options_set_stats_dump_period_sec(o, 0);
        RocksNative.rocksdb_options_set_stats_persist_period_sec(o, 0);
        RocksNative.rocksdb_options_set_max_open_files(o, 512);
        RocksNative.rocksdb_options_set_max_background_jobs(o, 2);
        RocksNative.rocksdb_options_set_max_total_wal_size(o, (ulong)options.MaxLogBytes);
        RocksNative.rocksdb_options_set_wal_recovery_mode(o, options.DropDamagedLog ? StopAtDamage : TolerateUnfinishedTail);
        RocksNative.rocksdb_options_set_allow_concurrent_memtable_write(o, 0); // there is one writer: the plain insert is cheaper
        RocksNative.rocksdb_options_set_bytes_per_sync(o, 1 << 20); // spreads the writing of sorted files, so that a commit's sync does not wait behind it
        RocksNative.rocksdb_options_set_write_buffer_manager(o, _writeBuffers);
        return o;
    }

    private nint MakeFamily(nuint writeBuffer, nuint blockSize, int compression, bool filter)
    {
        var table = RocksNative.rocksdb_block_based_options_create();
        RocksNative.rocksdb_block_based_options_set_block_size(table, blockSize);
        RocksNative.rocksdb_block_based_options_set_block_cache(table, _cache);
        RocksNative.rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
        RocksNative.rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
        RocksNative.rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
        if (filter)
        {
            RocksNative.rocksdb_block_based_options_set_filter_policy(table, RocksNative.rocksdb_filterpolicy_create_bloom_full(10)); // the table owns it
        }
        var o = RocksNative.rocksdb_options_create();
        RocksNative.rocksdb_options_set_write_buffer_size(o, writeBuffer);
        RocksNative.rocksdb_options_set_max_write_buffer_number(o, 3);
        RocksNative.rocksdb_options_set_target_file_size_base(o, 32 << 20);
        RocksNative.rocksdb_options_set_max_bytes_for_level_base(o, 256 << 20);
        RocksNative.rocksdb_options_set_level0_file_num_compaction_trigger(o, CompactionPace.FilesInARush);
        RocksNative.rocksdb_options_set_compression(o, compression);
        RocksNative.rocksdb_options_set_block_based_table_factory(o, table);
        RocksNative.rocksdb_block_based_options_destroy(table);
        return o;
    }
}
