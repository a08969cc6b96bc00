using System.Buffers.Binary;
using System.Text;
using FhirCore;
using FhirCore.Records;

namespace Storage.RocksDb.Rows;

/// <summary>
/// A version of a record as a row: flags (1), version (8), last update in microseconds (8), sequence of its change row or 0 (8),
/// partition (length 1, bytes; left out where it is the id), index block (length 4, bytes), body.
/// </summary>
internal readonly ref struct RecordRow
{
    private const byte DeletedFlag = 1;
    private const byte OwnPartitionFlag = 2;
    private const byte HasHistoryFlag = 4;
    private const byte KnownFlags = DeletedFlag | OwnPartitionFlag | HasHistoryFlag;
    private const int VersionAt = 1;
    private const int UpdatedAt = 9;
    private const int SequenceAt = 17;
    private const int PartitionAt = 25;

    private readonly ReadOnlySpan<byte> _row;
    private readonly int _partitionLength;
    private readonly int _indexLength;

    /// <exception cref="StoreCorruptException">These are not the bytes of a record.</exception>
    public RecordRow(ReadOnlySpan<byte> row)
    {
        _row = row;
        if (row.Length < PartitionAt + 1 + 4 || (row[0] & ~KnownFlags) != 0)
        {
            throw Damaged();
        }
        _partitionLength = row[PartitionAt];
        if (row.Length < PartitionAt + 1 + _partitionLength + 4)
        {
            throw Damaged();
        }
        _indexLength = BinaryPrimitives.ReadInt32BigEndian(row[(PartitionAt + 1 + _partitionLength)..]);
        if (_indexLength < 0 || _indexLength > row.Length - IndexStart || Version < 1 || !IndexBlock.IsWhole(Index))
        {
            throw Damaged();
        }
    }

    public bool Deleted => (_row[0] & DeletedFlag) != 0;

    /// <summary>Versions before this one may lie in history.</summary>
    public bool HasHistory => (_row[0] & HasHistoryFlag) != 0;

    public long Version => BinaryPrimitives.ReadInt64BigEndian(_row[VersionAt..]);

    /// <summary>Of its change row; 0 where it was not journalled.</summary>
    public long Sequence => BinaryPrimitives.ReadInt64BigEndian(_row[SequenceAt..]);

    public DateTimeOffset LastUpdated => SortableTime.Decode(_row.Slice(UpdatedAt, 8));

    public ReadOnlySpan<byte> Index => _row.Slice(IndexStart, _indexLength);

    public int IndexStart => PartitionAt + 1 + _partitionLength + 4;

    private int BodyStart => IndexStart + _indexLength;

    /// <param name="index">The block as it shall be found: with the store's own entries.</param>
    /// <exception cref="ArgumentException">The partition does not fit.</exception>
    public static byte[] Make(StoredRecord record, ReadOnlySpan<byte> index)
    {
        var own = record.Partition == record.Key.Id;
        var partitionLength = own ? 0 : Encoding.UTF8.GetByteCount(record.Partition);
        if (partitionLength > byte.MaxValue)
        {
            throw new ArgumentException($"The partition of {record.Key} is longer than 255 bytes.", nameof(record));
        }
        var indexAt = PartitionAt + 1 + partitionLength;
        var row = new byte[indexAt + 4 + index.Length + record.Body.Length];
        row[0] = (byte)((record.Deleted ? DeletedFlag : 0) | (own ? OwnPartitionFlag : 0));
        BinaryPrimitives.WriteInt64BigEndian(row.AsSpan(VersionAt), record.Version);
        SortableTime.Write(record.LastUpdated, row.AsSpan(UpdatedAt));
        row[PartitionAt] = (byte)partitionLength;
        if (!own)
        {
            Encoding.UTF8.GetBytes(record.Partition, row.AsSpan(PartitionAt + 1));
        }
        BinaryPrimitives.WriteInt32BigEndian(row.AsSpan(indexAt), index.Length);
        index.CopyTo(row.AsSpan(indexAt + 4));
        record.Body.Span.CopyTo(row.AsSpan(indexAt + 4 + index.Length));
        return row;
    }

    /// <summary>Fills in what only the commit loop knows.</summary>
    public static void Complete(byte[] row, long sequence, bool hasHistory)
    {
        BinaryPrimitives.WriteInt64BigEndian(row.AsSpan(SequenceAt), sequence);
        if (hasHistory)
        {
            row[0] |= HasHistoryFlag;
        }
    }

    /// <summary>The same version as a row of history: without its index block, whose rows are gone.</summary>
    public int WriteForHistory(Span<byte> destination)
    {
        var indexAt = IndexStart - 4;
        _row[..indexAt].CopyTo(destination);
        BinaryPrimitives.WriteInt32BigEndian(destination[indexAt..], 0);
        _row[BodyStart..].CopyTo(destination[(indexAt + 4)..]);
        return _row.Length - _indexLength;
    }

    public int HistoryLength => _row.Length - _indexLength;

    /// <param name="row">The bytes this was read from, which the record keeps.</param>
    public StoredRecord ToRecord(ResourceKey key, ReadOnlyMemory<byte> row) => new()
    {
        Key = key,
        Version = Version,
        LastUpdated = LastUpdated,
        Deleted = Deleted,
        Partition = (_row[0] & OwnPartitionFlag) != 0 ? key.Id : Encoding.UTF8.GetString(_row.Slice(PartitionAt + 1, _partitionLength)),
        Index = IndexEntries.FromBlock(row.Slice(IndexStart, _indexLength)),
        Body = row[BodyStart..],
    };

    private static StoreCorruptException Damaged() => new("A record row cannot be read: its bytes are not what was written.");
}
