using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>Reads past versions and the change log.</summary>
internal sealed class VersionReader(ReadView view, TypeNumbers types)
{
    /// <returns>That version, current or past; null where there is none.</returns>
    public StoredRecord? Version(ResourceKey key, long version)
    {
        if (!types.TryGet(key.Type, out var type) || version < 1)
        {
            return null;
        }
        var row = Find(type, key.Id, version);
        return row is null ? null : new RecordRow(row).ToRecord(key, row);
    }

    /// <summary>Versions of one record, newest first.</summary>
    public HistoryPage OfRecord(ResourceKey key, HistoryQuery query, CancellationToken ct)
    {
        var page = new List<StoredRecord>();
        var last = 0L;
        if (!types.TryGet(key.Type, out var type))
        {
            return new(page, null);
        }
        Span<byte> buffer = stackalloc byte[RowKeys.MaxLength];
        if (view.Get(Family.Records, buffer[..RowKeys.Record(buffer, type, key.Id)]) is not { } current)
        {
            return new(page, null);
        }
        if (!Add(current))
        {
            return new(page, last);
        }
        using var versions = view.Rows(Family.History, buffer[..RowKeys.VersionsOf(buffer, type, key.Id)]);
        Start(versions, buffer, type, key, query.Before);
        for (; versions.Valid; versions.Previous())
        {
            ct.ThrowIfCancellationRequested();
            if (!Add(versions.Value))
            {
                return new(page, last);
            }
        }
        return new(page, null);

        // False when the version belongs to a next page.
        bool Add(ReadOnlySpan<byte> bytes)
        {
            var row = new RecordRow(bytes);
            if (row.Sequence == 0 || row.Sequence >= (query.Before ?? long.MaxValue) || (query.Since is { } since && row.LastUpdated < since))
            {
                return true;
            }
            if (page.Count == query.Limit)
            {
                return false;
            }
            var own = bytes.ToArray();
            last = row.Sequence;
            page.Add(new RecordRow(own).ToRecord(key, own) with { Index = IndexEntries.None });
            return true;
        }
    }

    /// <summary>Versions of one type or of the whole store, newest first.</summary>
    public HistoryPage OfMany(string? type, HistoryQuery query, CancellationToken ct)
    {
        var page = new List<StoredRecord>();
        ushort number = 0;
        if (type is not null && !types.TryGet(type, out number))
        {
            return new(page, null);
        }
        Span<byte> from = stackalloc byte[11];
        Span<byte> to = stackalloc byte[11];
        Span<byte> changeKey = stackalloc byte[9];
        from = from[..(type is null ? RowKeys.Change(from, 0) : RowKeys.ChangeOfType(from, number, 0))];
        var before = query.Before ?? long.MaxValue;
        to = to[..(type is null ? RowKeys.Change(to, before) : RowKeys.ChangeOfType(to, number, before))];
        using var rows = view.Rows(Family.Log, from, to);
        var last = 0L;
        for (rows.Last(); rows.Valid; rows.Previous())
        {
            ct.ThrowIfCancellationRequested();
            var sequence = RowKeys.SequenceOf(rows.Key);
            var bytes = type is null ? rows.Value : view.Get(Family.Log, changeKey[..RowKeys.Change(changeKey, sequence)])
                ?? throw new StoreCorruptException("The change log lacks a row that its type's log names.");
            var change = new ChangeLogRow(bytes);
            if (query.Since is { } since)
            {
                if (change.LatestSoFar < since)
                {
                    break;
                }
                if (change.At < since)
                {
                    continue;
                }
            }
            var id = change.Id;
            // A version that was removed, or replaced by one that was not journalled, has nothing to show any more.
            if (Find(change.Type, id, change.Version) is not { } row || new RecordRow(row).Sequence != sequence)
            {
                ThrowIfRolledBack(change.Type, id, sequence);
                continue;
            }
            if (page.Count == query.Limit)
            {
                return new(page, last);
            }
            last = sequence;
            page.Add(new RecordRow(row).ToRecord(new ResourceKey(types.NameOf(change.Type), id), row) with { Index = IndexEntries.None });
        }
        return new(page, null);
    }

    public IReadOnlyList<ChangeRow> Changes(long after, int limit, CancellationToken ct)
    {
        var changes = new List<ChangeRow>();
        if (after == long.MaxValue || limit <= 0)
        {
            return changes;
        }
        Span<byte> from = stackalloc byte[9];
        Span<byte> to = stackalloc byte[9];
        RowKeys.Change(from, Math.Max(after + 1, 0));
        RowKeys.Change(to, long.MaxValue);
        using var rows = view.Rows(Family.Log, from, to);
        for (rows.First(); rows.Valid && changes.Count < limit; rows.Next())
        {
            ct.ThrowIfCancellationRequested();
            var row = new ChangeLogRow(rows.Value);
            changes.Add(new(RowKeys.SequenceOf(rows.Key), new(types.NameOf(row.Type), row.Id), row.Version, row.At, row.Deleted, row.Partition, row.Cause));
        }
        return changes;
    }

    /// <returns>The version that a change made, without index entries; null where it is gone.</returns>
    public StoredRecord? Made(ChangeRow change)
    {
        types.TryGet(change.Key.Type, out var type);
        return Find(type, change.Key.Id, change.Version) is { } row && new RecordRow(row) is var version && version.Sequence == change.Sequence
            ? version.ToRecord(change.Key, row) with { Index = IndexEntries.None }
            : null;
    }

    /// <summary>A change without its version is all right when the record is gone or was written later; not when the record is older than the change.</summary>
    private void ThrowIfRolledBack(ushort type, string id, long sequence)
    {
        Span<byte> key = stackalloc byte[RowKeys.MaxLength];
        if (view.Get(Family.Records, key[..RowKeys.Record(key, type, id)]) is { } current && new RecordRow(current).Sequence is > 0 and var own && own < sequence)
        {
            throw new StoreCorruptException($"A stored {types.NameOf(type)} is older than its last change.") { Summary = $"{types.NameOf(type)}: rolled back" };
        }
    }

    private byte[]? Find(ushort type, string id, long version)
    {
        Span<byte> key = stackalloc byte[RowKeys.MaxLength];
        if (view.Get(Family.Records, key[..RowKeys.Record(key, type, id)]) is { } current && new RecordRow(current).Version is var now && now <= version)
        {
            return now == version ? current : null;
        }
        return view.Get(Family.History, key[..RowKeys.Version(key, type, id, version)]);
    }

    /// <summary>To the newest version of history that a page with this beginning may hold.</summary>
    private void Start(RowIterator versions, Span<byte> buffer, ushort type, ResourceKey key, long? before)
    {
        // The sequence was given by a page of the same record, so it names one of its changes, and that one its version.
        if (before is { } sequence && view.Get(Family.Log, buffer[..RowKeys.Change(buffer, sequence)]) is { } bytes)
        {
            var change = new ChangeLogRow(bytes);
            if (change.Type == type && change.Id == key.Id)
            {
                versions.SeekBack(buffer[..RowKeys.Version(buffer, type, key.Id, change.Version)]);
                return;
            }
        }
        versions.Last();
    }
}
