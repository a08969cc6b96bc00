using System.Text;
using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>Goes through the current records of a type that match a predicate, one after another, in some order.</summary>
internal abstract class MatchWalk(string type, Predicate where) : IDisposable
{
    private const int StepsBetweenLooks = 256;
    private int _steps;

    /// <summary>Id of the match it stands on.</summary>
    public string Id { get; private set; } = "";

    /// <summary>To the next match.</summary>
    /// <returns><see langword="false"/> when there is none.</returns>
    public abstract bool Next(CancellationToken ct);

    /// <summary>The match it stands on, in memory of its own.</summary>
    public StoredRecord Take()
    {
        var row = CurrentRow().ToArray();
        return new RecordRow(row).ToRecord(new ResourceKey(type, Id), row);
    }

    /// <summary>The row of the match it stands on; good until it moves.</summary>
    protected abstract ReadOnlySpan<byte> CurrentRow();

    /// <summary>Whether the predicate holds for the row; if so, it stands on it.</summary>
    /// <param name="memory">The row, or as much of it as reaches to the end of its index block, where a predicate can look at it.</param>
    protected bool Accept(ReadOnlySpan<byte> id, RecordRow row, ReadOnlyMemory<byte> memory)
    {
        if (row.Deleted)
        {
            return false;
        }
        Id = Encoding.ASCII.GetString(id);
        return where.Matches(Id, IndexEntries.FromBlock(memory.Slice(row.IndexStart, row.Index.Length)));
    }

    protected void Step(CancellationToken ct)
    {
        if (++_steps % StepsBetweenLooks == 0)
        {
            ct.ThrowIfCancellationRequested();
        }
    }

    public abstract void Dispose();
}

/// <summary>Reads each record that candidates name.</summary>
internal abstract class FetchingWalk(ReadView view, ushort number, string type, Predicate where) : MatchWalk(type, where)
{
    private byte[] _row = ScratchBuffer.Take();
    private int _length;

    protected override ReadOnlySpan<byte> CurrentRow() => _row.AsSpan(0, _length);

    protected bool Fetch(ReadOnlySpan<byte> id, out RecordRow row)
    {
        Span<byte> key = stackalloc byte[RowKeys.TypeLength + id.Length];
        RowKeys.Record(key, number, id);
        _length = view.Get(Family.Records, key, ref _row);
        row = _length < 0 ? default : new RecordRow(_row.AsSpan(0, _length));
        return _length >= 0;
    }

    protected bool Accept(ReadOnlySpan<byte> id, RecordRow row) => Accept(id, row, _row.AsMemory(0, _length));

    public override void Dispose()
    {
        ScratchBuffer.Give(_row);
        _row = [];
    }
}

/// <summary>Matches among the ids of a stream, in its order.</summary>
internal sealed class StreamWalk(ReadView view, ushort number, string type, Predicate where, IdStream ids, string? after) : FetchingWalk(view, number, type, where)
{
    private bool _started;

    public override bool Next(CancellationToken ct)
    {
        for (Move(); ids.Valid; ids.Next())
        {
            Step(ct);
            if (Fetch(ids.Id, out var row) && Accept(ids.Id, row))
            {
                return true;
            }
        }
        return false;
    }

    public override void Dispose()
    {
        base.Dispose();
        ids.Dispose();
    }

    private void Move()
    {
        if (_started)
        {
            ids.Next();
            return;
        }
        _started = true;
        if (after is null)
        {
            ids.Start();
            return;
        }
        Span<byte> last = stackalloc byte[after.Length];
        Encoding.ASCII.GetBytes(after, last);
        ids.Seek(last);
        if (ids.Valid && ids.Id.SequenceEqual(last))
        {
            ids.Next();
        }
    }
}

/// <summary>Matches in the order of a field; records that lack the field are not met.</summary>
internal sealed class FieldOrderWalk(ReadView view, ushort number, string type, Predicate where, IndexField field, IndexRange range, RecordCursor? after)
    : FetchingWalk(view, number, type, where)
{
    private bool _started;

    public override bool Next(CancellationToken ct)
    {
        for (Move(); range.Valid; range.Next())
        {
            Step(ct);
            // A record is met at its first value only, should it have several.
            if (Fetch(range.Id, out var row) && FirstValue(row.Index).SequenceEqual(range.Value) && Accept(range.Id, row))
            {
                return true;
            }
        }
        return false;
    }

    public override void Dispose()
    {
        base.Dispose();
        range.Dispose();
    }

    private void Move()
    {
        if (_started)
        {
            range.Next();
            return;
        }
        _started = true;
        if (after is null)
        {
            range.Start();
        }
        else
        {
            range.StartAfter(after);
        }
    }

    private ReadOnlySpan<byte> FirstValue(ReadOnlySpan<byte> block)
    {
        while (IndexBlock.TakeFirst(ref block, out var entry))
        {
            if (IndexBlock.FieldOf(entry) == field)
            {
                return IndexBlock.ValueOf(entry);
            }
        }
        return default;
    }
}

/// <summary>Matches among all records of a type, in order of id: the last resort, where no index leads to them.</summary>
internal sealed class ScanWalk : MatchWalk
{
    private readonly RowIterator _rows;
    private readonly ushort _number;
    private readonly bool _descending;
    private readonly string? _after;
    private byte[] _head = ScratchBuffer.Take();
    private bool _started;

    public ScanWalk(ReadView view, ushort number, string type, Predicate where, bool descending, string? after)
        : base(type, where)
    {
        _number = number;
        _descending = descending;
        _after = after;
        Span<byte> prefix = stackalloc byte[RowKeys.TypeLength];
        RowKeys.Type(prefix, number);
        _rows = view.Rows(Family.Records, prefix);
    }

    public override bool Next(CancellationToken ct)
    {
        for (Move(); _rows.Valid; Advance())
        {
            Step(ct);
            var row = new RecordRow(_rows.Value);
            var head = row.IndexStart + row.Index.Length;
            if (_head.Length < head)
            {
                _head = new byte[head * 2];
            }
            _rows.Value[..head].CopyTo(_head);
            if (Accept(_rows.Key[RowKeys.TypeLength..], row, _head))
            {
                return true;
            }
        }
        return false;
    }

    public override void Dispose()
    {
        ScratchBuffer.Give(_head);
        _head = [];
        _rows.Dispose();
    }

    protected override ReadOnlySpan<byte> CurrentRow() => _rows.Value;

    private void Move()
    {
        if (_started)
        {
            Advance();
            return;
        }
        _started = true;
        if (_after is null)
        {
            if (_descending)
            {
                _rows.Last();
            }
            else
            {
                _rows.First();
            }
            return;
        }
        Span<byte> key = stackalloc byte[RowKeys.TypeLength + _after.Length];
        RowKeys.Record(key, _number, _after);
        if (_descending)
        {
            _rows.SeekBack(key);
        }
        else
        {
            _rows.Seek(key);
        }
        if (_rows.Valid && _rows.Key.SequenceEqual(key))
        {
            Advance();
        }
    }

    private void Advance()
    {
        if (_descending)
        {
            _rows.Previous();
        }
        else
        {
            _rows.Next();
        }
    }
}
