using FhirCore.Records;
using Storage.RocksDb.Native;

namespace Storage.RocksDb.Querying;

/// <summary>Chooses a way to the records of a query and walks it.</summary>
internal sealed class Queries(ReadView view, ushort number, string type)
{
    /// <summary>Ids held in memory at once, to bring them into another order than their index has.</summary>
    private const int MostCandidates = 10_000;

    private readonly IndexChoice _indexes = new(view, number);

    public RecordPage Page(RecordQuery query, CancellationToken ct)
    {
        var records = query.Order.Field is { } field
            ? ByField(query, field, ct)
            : Fill([], WalkById(query.Where, query.Order.Descending, query.After?.Id, ct), query.Limit, ct);
        if (records.Count <= query.Limit)
        {
            return new(records, null);
        }
        records.RemoveAt(records.Count - 1);
        return new(records, CursorOf(records[^1], query.Order));
    }

    /// <summary>All matches in order of id.</summary>
    public MatchWalk WalkById(Predicate where, bool descending, string? after, CancellationToken ct)
    {
        var ids = _indexes.Stream(where, descending) ?? _indexes.Collect(where, MostCandidates, descending, ct);
        return ids is null
            ? new ScanWalk(view, number, type, where, descending, after)
            : new StreamWalk(view, number, type, where, ids, after);
    }

    public long Count(Predicate where, long atMost, CancellationToken ct)
    {
        var parts = new List<Predicate>();
        IndexChoice.Conjuncts(where, parts);
        switch (parts)
        {
            case []: // every record has exactly one entry here
                return CountRows(IndexField.LastUpdated, [], [], atMost, ct);
            case [Predicate.Between(var field, var from, var to)] when CountRows(field, from.Span, to.Span, atMost, ct) is >= 0 and var rows:
                return rows;
            case [Predicate.Present(var field)] when CountRows(field, [], [], atMost, ct) is >= 0 and var rows:
                return rows;
            default:
                return CountMatches(where, atMost, ct);
        }
    }

    private long CountMatches(Predicate where, long atMost, CancellationToken ct)
    {
        var count = 0L;
        if (_indexes.Stream(where, descending: false) is { } ids)
        {
            if (ids.Exact)
            {
                using (ids)
                {
                    for (ids.Start(); count < atMost && ids.Valid; ids.Next())
                    {
                        if ((++count & 0xFF) == 0)
                        {
                            ct.ThrowIfCancellationRequested();
                        }
                    }
                    return count;
                }
            }
            ids.Dispose();
        }
        using var walk = WalkById(where, descending: false, after: null, ct);
        while (count < atMost && walk.Next(ct))
        {
            count++;
        }
        return count;
    }

    /// <returns>How many records have index rows in the range, or -1 where there are too many to tell repeats apart.</returns>
    private long CountRows(IndexField field, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, long atMost, CancellationToken ct)
    {
        var seen = field == IndexField.LastUpdated ? null : new HashSet<string>(StringComparer.Ordinal);
        var count = 0L;
        using var range = new IndexRange(view, number, field, from, to, descending: false);
        for (range.Start(); count < atMost && range.Valid; range.Next())
        {
            if (seen is not null && !seen.Add(System.Text.Encoding.ASCII.GetString(range.Id)))
            {
                continue;
            }
            if (seen?.Count > MostCandidates)
            {
                return -1;
            }
            if ((++count & 0xFF) == 0)
            {
                ct.ThrowIfCancellationRequested();
            }
        }
        return count;
    }

    private List<StoredRecord> ByField(RecordQuery query, IndexField field, CancellationToken ct)
    {
        var parts = new List<Predicate>();
        IndexChoice.Conjuncts(query.Where, parts);
        var range = RangeOf(parts, field);
        // Where the order's own index is narrowed by the query, walking it beats sorting many candidates of another index.
        var most = range is null ? MostCandidates : Math.Min(MostCandidates, 1_000 + (20 * query.Limit));
        if (Candidates(query.Where, narrowed: range is not null, most, ct) is { } candidates)
        {
            return Sorted(query, candidates, ct);
        }
        var page = new List<StoredRecord>(Math.Min(query.Limit + 1, 256));
        if (query.After is not { Value.IsEmpty: true })
        {
            var (from, to) = range ?? default;
            var rows = new IndexRange(view, number, field, from.Span, to.Span, query.Order.Descending);
            Fill(page, new FieldOrderWalk(view, number, type, query.Where, field, rows, query.After), query.Limit, ct);
        }
        if (page.Count <= query.Limit && range is null && field != IndexField.LastUpdated)
        {
            var lacking = new Predicate.AllOf([query.Where, new Predicate.Not(new Predicate.Present(field))]);
            var after = query.After is { Value.IsEmpty: true } cursor ? cursor.Id : null;
            Fill(page, WalkById(lacking, query.Order.Descending, after, ct), query.Limit, ct);
        }
        return page;
    }

    private IdStream? Candidates(Predicate where, bool narrowed, int most, CancellationToken ct)
    {
        if (_indexes.Stream(where, descending: false) is not { } stream)
        {
            return narrowed ? null : _indexes.Collect(where, most, descending: false, ct);
        }
        var count = 0;
        for (stream.Start(); stream.Valid; stream.Next())
        {
            if (++count > most)
            {
                stream.Dispose();
                return null;
            }
        }
        return stream;
    }

    /// <summary>The page out of candidates in another order: at any time holds no more than two pages of records.</summary>
    private List<StoredRecord> Sorted(RecordQuery query, IdStream candidates, CancellationToken ct)
    {
        var order = query.Order;
        var comparer = Comparer<StoredRecord>.Create((a, b) => Compare(CursorOf(a, order), CursorOf(b, order), order));
        var best = new List<StoredRecord>();
        using var walk = new StreamWalk(view, number, type, query.Where, candidates, after: null);
        while (walk.Next(ct))
        {
            var record = walk.Take();
            if (query.After is not null && Compare(CursorOf(record, order), query.After, order) <= 0)
            {
                continue;
            }
            best.Add(record);
            if (best.Count > 2 * (query.Limit + 1))
            {
                Trim();
            }
        }
        Trim();
        return best;

        void Trim()
        {
            best.Sort(comparer);
            if (best.Count > query.Limit + 1)
            {
                best.RemoveRange(query.Limit + 1, best.Count - query.Limit - 1);
            }
        }
    }

    /// <summary>Adds matches until there is one more than the limit, which tells that a page follows.</summary>
    private static List<StoredRecord> Fill(List<StoredRecord> page, MatchWalk walk, int limit, CancellationToken ct)
    {
        using (walk)
        {
            while (page.Count <= limit && walk.Next(ct))
            {
                page.Add(walk.Take());
            }
            return page;
        }
    }

    /// <summary>What the query itself says of the order's field, whose records have one value at most; null where it says nothing.</summary>
    private static (ReadOnlyMemory<byte> From, ReadOnlyMemory<byte> To)? RangeOf(List<Predicate> parts, IndexField field)
    {
        (ReadOnlyMemory<byte> From, ReadOnlyMemory<byte> To)? range = null;
        foreach (var part in parts)
        {
            switch (part)
            {
                case Predicate.Present(var present) when present == field:
                    range ??= default((ReadOnlyMemory<byte>, ReadOnlyMemory<byte>));
                    break;
                case Predicate.Between(var bounded, var from, var to) when bounded == field:
                    var (low, high) = range ?? default;
                    range = (from.Span.SequenceCompareTo(low.Span) > 0 ? from : low,
                        high.IsEmpty || (!to.IsEmpty && to.Span.SequenceCompareTo(high.Span) < 0) ? to : high);
                    break;
                default:
                    break;
            }
        }
        return range;
    }

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
