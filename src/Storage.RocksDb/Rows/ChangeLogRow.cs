using System.Buffers.Binary;
using System.Text;
using FhirCore.Records;

namespace Storage.RocksDb.Rows;

/// <summary>
/// A change of the log as a row: type (2), flags (1), version (8), time (8), latest time of this and all earlier changes (8),
/// id, partition (left out where it is the id) and cause, each with its length (1).
/// </summary>
internal readonly ref struct ChangeLogRow
{
    private const byte DeletedFlag = 1;
    private const byte OwnPartitionFlag = 2;
    private const int Fixed = 27;

    private readonly ReadOnlySpan<byte> _row;

    /// <exception cref="StoreCorruptException">These are not the bytes of a change.</exception>
    public ChangeLogRow(ReadOnlySpan<byte> row)
    {
        _row = row;
        var at = Fixed;
        for (var text = 0; text < 3; text++)
        {
            at = at < row.Length ? at + 1 + row[at] : int.MaxValue;
        }
        if (at != row.Length || (row[2] & ~(DeletedFlag | OwnPartitionFlag)) != 0 || Id.Length is 0 or > RowKeys.MaxId)
        {
            throw new StoreCorruptException("A change row cannot be read: its bytes are not what was written.");
        }
    }

    public ushort Type => BinaryPrimitives.ReadUInt16BigEndian(_row);

    public bool Deleted => (_row[2] & DeletedFlag) != 0;

    public long Version => BinaryPrimitives.ReadInt64BigEndian(_row[3..]);

    public DateTimeOffset At => SortableTime.Decode(_row.Slice(11, 8));

    /// <summary>No change up to this one has a later time, so a search for newer ones that goes backwards may stop here.</summary>
    public DateTimeOffset LatestSoFar => SortableTime.Decode(_row.Slice(19, 8));

    public string Id => Encoding.ASCII.GetString(_row.Slice(Fixed + 1, _row[Fixed]));

    public string Partition => (_row[2] & OwnPartitionFlag) != 0 ? Id : Text(Fixed + 1 + _row[Fixed]);

    public string Cause
    {
        get
        {
            var partitionAt = Fixed + 1 + _row[Fixed];
            return Text(partitionAt + 1 + _row[partitionAt]);
        }
    }

    /// <exception cref="ArgumentException">The cause is longer than 255 bytes.</exception>
    public static byte[] Make(StoredRecord record, string cause) =>
        Make(new(0, record.Key, record.Version, record.LastUpdated, record.Deleted, record.Partition, cause));

    /// <inheritdoc cref="Make(StoredRecord, string)"/>
    public static byte[] Make(ChangeRow change)
    {
        var own = change.Partition == change.Key.Id;
        var partition = own ? [] : Encoding.UTF8.GetBytes(change.Partition);
        var why = Encoding.UTF8.GetBytes(change.Cause);
        if (why.Length > byte.MaxValue)
        {
            throw new ArgumentException("The cause of a write has at most 255 bytes.", nameof(change));
        }
        var id = change.Key.Id;
        var row = new byte[Fixed + 3 + id.Length + partition.Length + why.Length];
        row[2] = (byte)((change.Deleted ? DeletedFlag : 0) | (own ? OwnPartitionFlag : 0));
        BinaryPrimitives.WriteInt64BigEndian(row.AsSpan(3), change.Version);
        SortableTime.Write(change.At, row.AsSpan(11));
        row[Fixed] = (byte)id.Length;
        Encoding.ASCII.GetBytes(id, row.AsSpan(Fixed + 1));
        var at = Fixed + 1 + id.Length;
        row[at] = (byte)partition.Length;
        partition.CopyTo(row, at + 1);
        at += 1 + partition.Length;
        row[at] = (byte)why.Length;
        why.CopyTo(row, at + 1);
        return row;
    }

    /// <summary>Fills in what only the commit loop knows.</summary>
    public static void Complete(byte[] row, ushort type, DateTimeOffset latestSoFar)
    {
        BinaryPrimitives.WriteUInt16BigEndian(row, type);
        SortableTime.Write(latestSoFar, row.AsSpan(19));
    }

    private string Text(int at) => Encoding.UTF8.GetString(_row.Slice(at + 1, _row[at]));
}
