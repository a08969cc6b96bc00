using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>Ids that any of its streams has, each once.</summary>
internal sealed class UnionStream(IdStream[] streams, bool exact, bool descending) : IdStream
{
    /// <summary>Above this many streams, each step of all of them costs more than collecting the ids one stream after another.</summary>
    public const int Widest = 16;

    private readonly byte[] _passed = new byte[RowKeys.MaxId];
    private IdStream? _first;

    public override bool Exact { get; } = exact;

    public override bool Valid => _first is not null;

    public override ReadOnlySpan<byte> Id => _first!.Id;

    public override void Start()
    {
        foreach (var stream in streams)
        {
            stream.Start();
        }
        Choose();
    }

    public override void Seek(ReadOnlySpan<byte> id)
    {
        foreach (var stream in streams)
        {
            stream.Seek(id);
        }
        Choose();
    }

    public override void Next()
    {
        var id = Id;
        id.CopyTo(_passed);
        var passed = _passed.AsSpan(0, id.Length);
        foreach (var stream in streams)
        {
            if (stream.Valid && stream.Id.SequenceEqual(passed))
            {
                stream.Next();
            }
        }
        Choose();
    }

    public override void Dispose()
    {
        foreach (var stream in streams)
        {
            stream.Dispose();
        }
    }

    private void Choose()
    {
        _first = null;
        foreach (var stream in streams)
        {
            if (!stream.Valid)
            {
                continue;
            }
            if (_first is null)
            {
                _first = stream;
                continue;
            }
            var order = stream.Id.SequenceCompareTo(_first.Id);
            if (descending ? order > 0 : order < 0)
            {
                _first = stream;
            }
        }
    }
}
