using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Querying;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Writing;

/// <summary>
/// The commits that go to disk together. Each is checked against the store and the commits accepted before it, and either
/// adds all its rows or none.
/// </summary>
internal sealed class CommitBatch
{
    private sealed record Change(ResourceKey Key, byte[]? Row);

    private readonly RowBatch _rows = new();
    private readonly Dictionary<ResourceKey, Change> _changed = [];
    private readonly byte[] _key = new byte[RowKeys.MaxLength];
    private Engine _engine = null!;
    private ReadView _view = null!;

    /// <summary>Record types as they are once the batch is written.</summary>
    public TypeNumbers Types { get; private set; } = null!;

    /// <summary>Sequence of the log's last row once the batch is written.</summary>
    public long Sequence { get; private set; }

    /// <summary>Latest time of any row of the log once the batch is written.</summary>
    public DateTimeOffset Latest { get; private set; }

    public bool IsEmpty => _rows.IsEmpty;

    public int Length => _rows.Length;

    public ReadOnlySpan<byte> Bytes => _rows.Bytes;

    public void Begin(ReadView view, TypeNumbers types, long sequence, DateTimeOffset latest)
    {
        (_view, _engine) = (view, view.Engine);
        (Types, Sequence, Latest) = (types, sequence, latest);
        _rows.Clear();
        _changed.Clear();
    }

    /// <returns>What the commit's caller will be told once the batch is on disk.</returns>
    public CommitResult Add(PreparedCommit commit)
    {
        var replaced = new byte[]?[commit.Writes.Length + commit.Removals.Length];
        for (var i = 0; i < commit.Writes.Length; i++)
        {
            var write = commit.Writes[i];
            replaced[i] = Find(write.Key);
            if (VersionOf(replaced[i]) is var found && found != write.Write.Expected)
            {
                return new CommitResult.VersionConflict(write.Key, write.Write.Expected, found);
            }
        }
        foreach (var condition in commit.Conditions)
        {
            if (Check(condition, commit) is { } refusal)
            {
                return refusal;
            }
        }
        for (var i = 0; i < commit.Removals.Length; i++)
        {
            replaced[commit.Writes.Length + i] = Find(commit.Removals[i]);
        }
        var mark = (Rows: _rows.Mark(), Types, Sequence, Latest);
        try
        {
            Append(commit, replaced);
        }
        catch
        {
            _rows.Return(mark.Rows);
            (Types, Sequence, Latest) = (mark.Types, mark.Sequence, mark.Latest);
            throw;
        }
        foreach (var write in commit.Writes)
        {
            _changed[write.Key] = new(write.Key, write.Row);
        }
        foreach (var key in commit.Removals)
        {
            _changed[key] = new(key, null);
        }
        return new CommitResult.Done(Sequence);
    }

    /// <summary>To be called when the batch is written.</summary>
    public void TellWritten(IWriteListener listener)
    {
        foreach (var key in _changed.Keys)
        {
            listener.Written(key);
        }
    }

    private CommitResult? Check(RecordCondition condition, PreparedCommit commit)
    {
        switch (condition)
        {
            case RecordCondition.VersionIs(var key, var version):
                var found = VersionOf(Find(key));
                return found == version ? null : new CommitResult.VersionConflict(key, version, found);
            case RecordCondition.NoneMatch none:
                return FindMatch(none, commit) is { } match ? new CommitResult.MatchFound(none, match) : null;
            default:
                throw new ArgumentException($"Unknown condition {condition.GetType().Name}.");
        }
    }

    private ResourceKey? FindMatch(RecordCondition.NoneMatch none, PreparedCommit commit)
    {
        foreach (var change in _changed.Values)
        {
            if (change.Row is null || change.Key.Type != none.Type || none.Except.Contains(change.Key.Id) || commit.Touches(change.Key))
            {
                continue;
            }
            var row = new RecordRow(change.Row);
            if (!row.Deleted && none.Where.Matches(change.Key.Id, IndexEntries.FromBlock(change.Row.AsMemory(row.IndexStart, row.Index.Length))))
            {
                return change.Key;
            }
        }
        if (!Types.TryGet(none.Type, out var number))
        {
            return null;
        }
        using var walk = new Queries(_view, number, none.Type).WalkById(none.Where, descending: false, after: null, CancellationToken.None);
        while (walk.Next(CancellationToken.None))
        {
            var key = new ResourceKey(none.Type, walk.Id);
            if (!none.Except.Contains(key.Id) && !_changed.ContainsKey(key) && !commit.Touches(key))
            {
                return key;
            }
        }
        return null;
    }

    /// <returns>The current row, seen through the commits of this batch.</returns>
    private byte[]? Find(ResourceKey key)
    {
        if (_changed.TryGetValue(key, out var change))
        {
            return change.Row;
        }
        return Types.TryGet(key.Type, out var number) ? _view.Get(Family.Records, _key.AsSpan(0, RowKeys.Record(_key, number, key.Id))) : null;
    }

    private static long VersionOf(byte[]? row) => row is null ? 0 : new RecordRow(row).Version;

    private void Append(PreparedCommit commit, byte[]?[] replaced)
    {
        for (var i = 0; i < commit.Writes.Length; i++)
        {
            Append(commit.Writes[i], replaced[i]);
        }
        for (var i = 0; i < commit.Removals.Length; i++)
        {
            if (replaced[commit.Writes.Length + i] is { } row)
            {
                Remove(commit.Removals[i], row);
            }
        }
    }

    private void Append(PreparedWrite write, byte[]? replaced)
    {
        var type = NumberOf(write.Key.Type);
        var old = replaced is null ? default : new RecordRow(replaced);
        var oldIndex = replaced is null ? default : old.Index;
        var hasHistory = replaced is not null && (old.HasHistory || write.Change is not null);
        if (write.Change is { } change)
        {
            Sequence++;
            if (write.Write.Record.LastUpdated > Latest)
            {
                Latest = write.Write.Record.LastUpdated;
            }
            ChangeLogRow.Complete(change, type, Latest);
            _rows.Put(_engine.BatchId(Family.Log), _key.AsSpan(0, RowKeys.Change(_key, Sequence)), change);
            _rows.Put(_engine.BatchId(Family.Log), _key.AsSpan(0, RowKeys.ChangeOfType(_key, type, Sequence)), []);
            if (replaced is not null)
            {
                var key = _key.AsSpan(0, RowKeys.Version(_key, type, write.Key.Id, old.Version));
                if (_view.Get(Family.History, key) is not null)
                {
                    // A current version is never in history: it was replaced once, and somebody has put it back.
                    throw new StoreCorruptException($"The stored {write.Key.Type} to be replaced is an older version than its history holds.")
                    {
                        Summary = $"{write.Key.Type}: rolled back",
                    };
                }
                old.WriteForHistory(_rows.Put(_engine.BatchId(Family.History), key, old.HistoryLength));
            }
        }
        RecordRow.Complete(write.Row, write.Change is null ? 0 : Sequence, hasHistory);
        _rows.Put(_engine.BatchId(Family.Records), _key.AsSpan(0, RowKeys.Record(_key, type, write.Key.Id)), write.Row);
        ReplaceIndex(type, write.Key.Id, oldIndex, write.Index);
    }

    private void Remove(ResourceKey key, byte[] replaced)
    {
        var type = NumberOf(key.Type);
        var old = new RecordRow(replaced);
        _rows.Delete(_engine.BatchId(Family.Records), _key.AsSpan(0, RowKeys.Record(_key, type, key.Id)));
        ReplaceIndex(type, key.Id, old.Index, []);
        if (old.HasHistory)
        {
            RemoveHistory(type, key, old.Version);
        }
    }

    private void RemoveHistory(ushort type, ResourceKey key, long before)
    {
        using (var versions = _view.Rows(Family.History, _key.AsSpan(0, RowKeys.VersionsOf(_key, type, key.Id))))
        {
            for (versions.First(); versions.Valid; versions.Next())
            {
                _rows.Delete(_engine.BatchId(Family.History), versions.Key);
            }
        }
        // Versions that this very batch has put into history are not in the store yet; they are few and known by number.
        for (var version = before - 1; version >= 1 && _changed.ContainsKey(key); version--)
        {
            _rows.Delete(_engine.BatchId(Family.History), _key.AsSpan(0, RowKeys.Version(_key, type, key.Id, version)));
        }
    }

    /// <summary>Writes only the index rows in which the old and the new block differ.</summary>
    private void ReplaceIndex(ushort type, string id, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        var hasOld = IndexBlock.TakeFirst(ref old, out var oldEntry);
        var hasNew = IndexBlock.TakeFirst(ref now, out var newEntry);
        while (hasOld || hasNew)
        {
            var order = !hasOld ? 1 : !hasNew ? -1 : oldEntry.SequenceCompareTo(newEntry);
            if (order < 0)
            {
                _rows.Delete(_engine.BatchId(Family.Index), IndexKey(type, id, oldEntry));
            }
            else if (order > 0)
            {
                _rows.Put(_engine.BatchId(Family.Index), IndexKey(type, id, newEntry), [(byte)IndexBlock.ValueOf(newEntry).Length]);
            }
            if (order <= 0)
            {
                hasOld = IndexBlock.TakeFirst(ref old, out oldEntry);
            }
            if (order >= 0)
            {
                hasNew = IndexBlock.TakeFirst(ref now, out newEntry);
            }
        }
    }

    private ReadOnlySpan<byte> IndexKey(ushort type, string id, ReadOnlySpan<byte> entry)
    {
        var length = RowKeys.Index(_key, type, IndexBlock.FieldOf(entry), IndexBlock.ValueOf(entry));
        return _key.AsSpan(0, length + System.Text.Encoding.ASCII.GetBytes(id, _key.AsSpan(length)));
    }

    private ushort NumberOf(string type)
    {
        if (!Types.TryGet(type, out var number))
        {
            number = checked((ushort)(Types.Count + 1));
            Types = Types.With(type, number);
            _rows.Put(_engine.BatchId(Family.Types), _key.AsSpan(0, RowKeys.Type(_key, number)), System.Text.Encoding.UTF8.GetBytes(type));
        }
        return number;
    }
}
