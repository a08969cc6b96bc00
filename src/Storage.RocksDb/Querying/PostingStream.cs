using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>The records that have one value in one field, straight from the index rows of that value.</summary>
internal sealed class PostingStream : IdStream
{
    private readonly RowIterator _rows;
    private readonly byte[] _key;
    private readonly int _prefix;
    private readonly bool _descending;

    public PostingStream(ReadView view, ushort type, IndexField field, ReadOnlySpan<byte> value, bool descending)
    {
        _key = new byte[RowKeys.FieldPrefix + value.Length + RowKeys.MaxId];
        _prefix = RowKeys.Index(_key, type, field, value);
        _descending = descending;
        _rows = view.Rows(Family.Index, _key.AsSpan(0, _prefix));
    }

    public override bool Exact => true;

    public override bool Valid => _rows.Valid;

    public override ReadOnlySpan<byte> Id => _rows.Key[_prefix..];

    public override void Start()
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

    public override void Seek(ReadOnlySpan<byte> id)
    {
        id.CopyTo(_key.AsSpan(_prefix));
        var key = _key.AsSpan(0, _prefix + id.Length);
        if (_descending)
        {
            _rows.SeekBack(key);
        }
        else
        {
            _rows.Seek(key);
        }
    }

    public override void Next()
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

    public override void Dispose() => _rows.Dispose();
}
