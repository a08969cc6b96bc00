using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>Ids that all its streams have: each leaps to the largest id another stands on, until they meet.</summary>
internal sealed class IntersectionStream(IdStream[] streams, bool exact, bool descending) : IdStream
{
    private readonly byte[] _target = new byte[RowKeys.MaxId];

    public override bool Exact { get; } = exact;

    public override bool Valid => _valid;

    private bool _valid;

    public override ReadOnlySpan<byte> Id => streams[0].Id;

    public override void Start()
    {
        foreach (var stream in streams)
        {
            stream.Start();
        }
        Meet();
    }

    public override void Seek(ReadOnlySpan<byte> id)
    {
        foreach (var stream in streams)
        {
            stream.Seek(id);
        }
        Meet();
    }

    public override void Next()
    {
        streams[0].Next();
        Meet();
    }

    public override void Dispose()
    {
        foreach (var stream in streams)
        {
            stream.Dispose();
        }
    }

    private void Meet()
    {
        _valid = false;
        if (!streams[0].Valid)
        {
            return;
        }
        var agreed = 1;
        for (var i = 1; agreed < streams.Length; i = (i + 1) % streams.Length)
        {
            var leader = streams[(i + streams.Length - 1) % streams.Length].Id;
            var stream = streams[i];
            if (!stream.Valid)
            {
                return;
            }
            var order = stream.Id.SequenceCompareTo(leader);
            if (descending ? order > 0 : order < 0)
            {
                leader.CopyTo(_target);
                var target = _target.AsSpan(0, leader.Length);
                stream.Seek(target);
                if (!stream.Valid)
                {
                    return;
                }
                order = stream.Id.SequenceCompareTo(target);
            }
            agreed = order == 0 ? agreed + 1 : 1;
        }
        _valid = true;
    }
}
