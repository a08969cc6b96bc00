using System.Text;
using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;
using Storage.RocksDb.Writing;

namespace Storage.RocksDb.Copying;

/// <summary>Puts rows of another store into this one, past the commit loop: one synced batch for each call.</summary>
internal sealed class RowWriting(Engine engine, TypeNumbers types, LogEnd end)
{
    private readonly RowBatch _rows = new();
    private readonly byte[] _key = new byte[RowKeys.MaxLength];
    private LogEnd _end = end;

    public TypeNumbers Types { get; private set; } = types;

    public void Write(IReadOnlyList<StoreRow> rows)
    {
        _rows.Clear();
        foreach (var row in rows)
        {
            switch (row)
            {
                case StoreRow.Journal journal:
                    Add(journal);
                    break;
                case StoreRow.Current current:
                    Add(current);
                    break;
            }
        }
        if (!_rows.IsEmpty)
        {
            engine.Write(_rows.Bytes);
        }
    }

    private void Add(StoreRow.Journal journal)
    {
        var (change, version) = journal;
        var type = NumberOf(change.Key.Type);
        _end = new(Math.Max(_end.Sequence, change.Sequence), change.At > _end.Latest ? change.At : _end.Latest);
        var row = ChangeLogRow.Make(change);
        ChangeLogRow.Complete(row, type, _end.Latest);
        _rows.Put(engine.BatchId(Family.Log), _key.AsSpan(0, RowKeys.Change(_key, change.Sequence)), row);
        _rows.Put(engine.BatchId(Family.Log), _key.AsSpan(0, RowKeys.ChangeOfType(_key, type, change.Sequence)), []);
        if (version is not null)
        {
            // Also the version that is current: which one that is shows only when the current records come.
            var past = RecordRow.Make(version, index: []);
            RecordRow.Complete(past, change.Sequence, hasHistory: change.Version > 1);
            _rows.Put(engine.BatchId(Family.History), _key.AsSpan(0, RowKeys.Version(_key, type, change.Key.Id, change.Version)), past);
        }
    }

    private void Add(StoreRow.Current current)
    {
        var (record, sequence) = current;
        var type = NumberOf(record.Key.Type);
        var index = record.Deleted ? [] : IndexBlock.WithLastUpdated(record.Index.Block.Span, record.LastUpdated);
        var row = RecordRow.Make(record, index);
        RecordRow.Complete(row, sequence, hasHistory: record.Version > 1);
        _rows.Put(engine.BatchId(Family.Records), _key.AsSpan(0, RowKeys.Record(_key, type, record.Key.Id)), row);
        if (sequence > 0)
        {
            _rows.Delete(engine.BatchId(Family.History), _key.AsSpan(0, RowKeys.Version(_key, type, record.Key.Id, record.Version)));
        }
        ReadOnlySpan<byte> rest = index;
        while (IndexBlock.TakeFirst(ref rest, out var entry))
        {
            var length = RowKeys.Index(_key, type, IndexBlock.FieldOf(entry), IndexBlock.ValueOf(entry));
            length += Encoding.ASCII.GetBytes(record.Key.Id, _key.AsSpan(length));
            _rows.Put(engine.BatchId(Family.Index), _key.AsSpan(0, length), [(byte)IndexBlock.ValueOf(entry).Length]);
        }
    }

    private ushort NumberOf(string type)
    {
        if (!Types.TryGet(type, out var number))
        {
            number = checked((ushort)(Types.Count + 1));
            Types = Types.With(type, number);
            _rows.Put(engine.BatchId(Family.Types), _key.AsSpan(0, RowKeys.Type(_key, number)), Encoding.UTF8.GetBytes(type));
        }
        return number;
    }
}
