using System.Text;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>Index rows of one field between two values, in the order of the values. A record stands in it once for each of its values.</summary>
internal sealed class IndexRange : IDisposable
{
    private readonly RowIterator _rows;
    private readonly ushort _type;
    private readonly IndexField _field;
    private readonly bool _descending;

    /// <param name="from">Included; empty for no lower end.</param>
    /// <param name="to">Excluded; empty for no upper end.</param>
    public IndexRange(ReadView view, ushort type, IndexField field, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool descending)
    {
        _type = type;
        _field = field;
        _descending = descending;
        Span<byte> low = stackalloc byte[RowKeys.FieldPrefix + from.Length];
        RowKeys.Index(low, type, field, from);
        Span<byte> high = stackalloc byte[RowKeys.FieldPrefix + to.Length];
        var length = RowKeys.Index(high, type, field, to);
        if (to.IsEmpty)
        {
            length = RowKeys.After(low[..RowKeys.FieldPrefix], high);
        }
        _rows = view.Rows(Family.Index, low, high[..length]);
    }

    public bool Valid => _rows.Valid;

    public ReadOnlySpan<byte> Value => _rows.Key.Slice(RowKeys.FieldPrefix, ValueLength);

    public ReadOnlySpan<byte> Id => _rows.Key[(RowKeys.FieldPrefix + ValueLength)..];

    private int ValueLength
    {
        get
        {
            var row = _rows.Value;
            return row.Length == 1 && _rows.Key.Length > RowKeys.FieldPrefix + row[0]
                ? row[0]
                : throw new StoreCorruptException("An index row cannot be read: its bytes are not what was written.");
        }
    }

    public void Start()
    {
        if (_descending)
        {
            _rows.Last();
        }
        else
        {
            _rows.First();
        }
    }

    /// <summary>To the first row behind this value and id.</summary>
    public void StartAfter(RecordCursor cursor)
    {
        var key = new byte[RowKeys.MaxLength];
        var length = RowKeys.Index(key, _type, _field, cursor.Value.Span);
        length += Encoding.ASCII.GetBytes(cursor.Id, key.AsSpan(length));
        var last = key.AsSpan(0, length);
        if (_descending)
        {
            _rows.SeekBack(last);
        }
        else
        {
            _rows.Seek(last);
        }
        if (_rows.Valid && _rows.Key.SequenceEqual(last))
        {
            Next();
        }
    }

    public void Next()
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

    public void Dispose() => _rows.Dispose();
}
