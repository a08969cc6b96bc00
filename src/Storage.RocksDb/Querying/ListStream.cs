using System.Text;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>Ids that are known beforehand.</summary>
internal sealed class ListStream : IdStream
{
    private readonly string[] _ids;
    private readonly bool _descending;
    private readonly byte[] _current = new byte[RowKeys.MaxId];
    private int _at;
    private int _length;

    /// <param name="ids">In any order, without repeats.</param>
    public ListStream(IEnumerable<string> ids, bool descending)
    {
        _ids = [.. ids.Where(FhirCore.FhirIds.IsValid)];
        _descending = descending;
        Array.Sort(_ids, string.CompareOrdinal);
        if (descending)
        {
            Array.Reverse(_ids);
        }
    }

    /// <summary>Nothing says that these records exist.</summary>
    public override bool Exact => false;

    public override bool Valid => _at < _ids.Length;

    public override ReadOnlySpan<byte> Id => _current.AsSpan(0, _length);

    public override void Start() => MoveTo(0);

    public override void Seek(ReadOnlySpan<byte> id)
    {
        var (low, high) = (0, _ids.Length);
        var wanted = Encoding.ASCII.GetString(id);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(_ids[middle], wanted);
            if (_descending ? order > 0 : order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        MoveTo(low);
    }

    public override void Next() => MoveTo(_at + 1);

    private void MoveTo(int at)
    {
        _at = at;
        _length = at < _ids.Length ? Encoding.ASCII.GetBytes(_ids[at], _current) : 0;
    }
}
