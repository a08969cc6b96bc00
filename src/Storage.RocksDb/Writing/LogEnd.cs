using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Writing;

/// <summary>Where the change log ends.</summary>
/// <param name="Latest">Latest time of any of its rows.</param>
internal readonly record struct LogEnd(long Sequence, DateTimeOffset Latest)
{
    public static LogEnd Read(Engine engine)
    {
        Span<byte> from = stackalloc byte[9];
        Span<byte> to = stackalloc byte[9];
        RowKeys.Change(from, 0);
        RowKeys.Change(to, long.MaxValue);
        using var rows = new RowIterator(engine, Family.Log, 0, from, to);
        rows.Last();
        return rows.Valid ? new(RowKeys.SequenceOf(rows.Key), new ChangeLogRow(rows.Value).LatestSoFar) : new(0, DateTimeOffset.MinValue);
    }
}
