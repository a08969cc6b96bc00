using FhirCore;
using FhirCore.Records;

namespace Storage.Contract;

/// <summary>
/// The promises of <see cref="IRecordStore"/> in their plainest form: lists under one lock, every question answered by looking
/// at every record. It is what the adapters are compared with, and a stand-in for them in tests of other rooms.
/// </summary>
public sealed partial class InMemoryRecordStore : IRecordStore
{
    private sealed record Version(StoredRecord Record, long Sequence);

    private readonly Lock _gate = new();
    private readonly Dictionary<ResourceKey, Version> _current = [];
    private readonly Dictionary<(ResourceKey Key, long Number), Version> _past = [];
    private readonly List<ChangeRow> _changes = [];
    private readonly Dictionary<string, long> _stamps = [];
    private long _sequence;

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_current.GetValueOrDefault(key)?.Record);
        }
    }

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(Find(key, version)?.Record);
        }
    }

    public Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ct.ThrowIfCancellationRequested();
        ThrowIfMalformed(commit);
        lock (_gate)
        {
            if (FindConflict(commit) is { } conflict)
            {
                return Task.FromResult(conflict);
            }
            foreach (var write in commit.Writes)
            {
                Apply(write);
            }
            foreach (var key in commit.Removals)
            {
                _current.Remove(key);
                foreach (var past in _past.Keys.Where(p => p.Key == key).ToList())
                {
                    _past.Remove(past);
                }
            }
            foreach (var stamp in commit.Stamps)
            {
                _stamps[stamp] = _stamps.GetValueOrDefault(stamp) + 1;
            }
            return Task.FromResult<CommitResult>(new CommitResult.Done(_sequence));
        }
    }

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        ct.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 10_000);
        lock (_gate)
        {
            var found = Matching(query.Type, query.Where)
                .Select(r => (Record: r, Cursor: CursorOf(r, query.Order)))
                .Order(Comparer<(StoredRecord Record, RecordCursor Cursor)>.Create((a, b) => Compare(a.Cursor, b.Cursor, query.Order)))
                .Where(f => query.After is null || Compare(f.Cursor, query.After, query.Order) > 0)
                .Take(query.Limit + 1)
                .ToList();
            var page = found.Take(query.Limit).ToList();
            return new(new RecordPage([.. page.Select(p => p.Record)], found.Count > query.Limit ? page[^1].Cursor : null));
        }
    }

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(Math.Min(Matching(type, where).LongCount(), atMost));
        }
    }

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        ct.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(query.Limit);
        lock (_gate)
        {
            var found = Enumerable.Reverse(_changes)
                .Where(c => query.Type is null || c.Key.Type == query.Type)
                .Where(c => query.Id is null || c.Key.Id == query.Id)
                .Where(c => query.Before is null || c.Sequence < query.Before)
                .Select(c => Find(c.Key, c.Version) is { } version && version.Sequence == c.Sequence ? version : null)
                .OfType<Version>()
                .Where(v => query.Since is null || v.Record.LastUpdated >= query.Since)
                .Take(query.Limit + 1)
                .ToList();
            var page = found.Take(query.Limit).ToList();
            return new(new HistoryPage([.. page.Select(v => v.Record)], found.Count > query.Limit ? page[^1].Sequence : null));
        }
    }

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new([.. _changes.Where(c => c.Sequence > after).Take(limit)]);
        }
    }

    public ValueTask<long> StampAsync(string name, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_stamps.GetValueOrDefault(name));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static void ThrowIfMalformed(Commit commit)
    {
        var keys = commit.Writes.Select(w => w.Record.Key).Concat(commit.Removals).ToList();
        if (keys.Distinct().Count() != keys.Count)
        {
            throw new ArgumentException("A key stands in at most one write or removal of a commit.", nameof(commit));
        }
        foreach (var write in commit.Writes)
        {
            if (write.Record.Version != write.Expected + 1)
            {
                throw new ArgumentException($"A write of {write.Record.Key} over version {write.Expected} must make version {write.Expected + 1}.", nameof(commit));
            }
            if (write.Record.Deleted && !(write.Record.Body.IsEmpty && write.Record.Index.Block.IsEmpty))
            {
                throw new ArgumentException($"The tombstone of {write.Record.Key} has a body or index entries.", nameof(commit));
            }
        }
    }

    private CommitResult? FindConflict(Commit commit)
    {
        foreach (var write in commit.Writes)
        {
            if (VersionOf(write.Record.Key) is var found && found != write.Expected)
            {
                return new CommitResult.VersionConflict(write.Record.Key, write.Expected, found);
            }
        }
        foreach (var condition in commit.Conditions)
        {
            switch (condition)
            {
                case RecordCondition.VersionIs(var key, var expected) when VersionOf(key) is var found && found != expected:
                    return new CommitResult.VersionConflict(key, expected, found);
                case RecordCondition.NoneMatch none:
                    var mine = commit.Writes.Select(w => w.Record.Key).Concat(commit.Removals).ToHashSet();
                    var match = Matching(none.Type, none.Where).FirstOrDefault(r => !none.Except.Contains(r.Key.Id) && !mine.Contains(r.Key));
                    if (match is not null)
                    {
                        return new CommitResult.MatchFound(none, match.Key);
                    }
                    break;
                default:
                    break;
            }
        }
        return null;
    }

    private void Apply(RecordWrite write)
    {
        var record = write.Record;
        var sequence = 0L;
        if (write.Journal)
        {
            if (_current.TryGetValue(record.Key, out var replaced))
            {
                _past[(record.Key, replaced.Record.Version)] = replaced with { Record = replaced.Record with { Index = IndexEntries.None } };
            }
            sequence = ++_sequence;
            _changes.Add(new(sequence, record.Key, record.Version, record.LastUpdated, record.Deleted, record.Partition, write.Cause));
        }
        _current[record.Key] = new(record.Deleted ? record : record with { Index = WithLastUpdated(record) }, sequence);
    }

    private static IndexEntries WithLastUpdated(StoredRecord record)
    {
        var builder = new IndexEntries.Builder();
        foreach (var entry in record.Index)
        {
            if (entry.Field != IndexField.LastUpdated)
            {
                builder.Add(entry.Field, entry.Value.Span);
            }
        }
        builder.Add(IndexField.LastUpdated, SortableTime.Encode(record.LastUpdated));
        return builder.Build();
    }

    private long VersionOf(ResourceKey key) => _current.GetValueOrDefault(key)?.Record.Version ?? 0;

    private Version? Find(ResourceKey key, long number) =>
        _current.TryGetValue(key, out var current) && current.Record.Version == number ? current : _past.GetValueOrDefault((key, number));

    private IEnumerable<StoredRecord> Matching(string type, Predicate where) =>
        _current.Values.Select(v => v.Record).Where(r => !r.Deleted && r.Key.Type == type && where.Matches(r.Key.Id, r.Index));

    private static RecordCursor CursorOf(StoredRecord record, RecordOrder order) =>
        new(order.Field is { } field ? record.Index.First(field) : default, record.Key.Id);

    private static int Compare(RecordCursor a, RecordCursor b, RecordOrder order)
    {
        if (a.Value.IsEmpty != b.Value.IsEmpty)
        {
            return a.Value.IsEmpty ? 1 : -1; // records without the field come last in both directions
        }
        var byValue = a.Value.Span.SequenceCompareTo(b.Value.Span);
        var ascending = byValue != 0 ? byValue : string.CompareOrdinal(a.Id, b.Id);
        return order.Descending ? -ascending : ascending;
    }
}
