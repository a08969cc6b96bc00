using System.Collections.Immutable;
using System.Text;
using FhirCore.Records;
using Storage.RocksDb.Native;

namespace Storage.RocksDb.Querying;

/// <summary>
/// Finds the index rows that lead to the records of a predicate. What comes out of it is a superset of the matches:
/// the walk asks <see cref="Predicate.Matches"/> of each record.
/// </summary>
internal sealed class IndexChoice(ReadView view, ushort type)
{
    /// <summary>Rows looked at to tell a narrow range from a wide one.</summary>
    private const int ProbedRows = 512;

    /// <summary>Ids straight from index rows that already lie in order of id; null where the predicate has no such part.</summary>
    public IdStream? Stream(Predicate where, bool descending) => Width(where) is > 0 and <= UnionStream.Widest ? Build(where, descending) : null;

    /// <summary>Ids collected from index rows that lie in another order.</summary>
    /// <returns>Null where there are more than <paramref name="atMost"/>, or no index leads to them.</returns>
    public IdStream? Collect(Predicate where, int atMost, bool descending, CancellationToken ct)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        return TryCollect(where, ids, atMost, ct) ? new ListStream(ids, descending) : null;
    }

    /// <summary>The parts that all must hold, nesting undone.</summary>
    public static void Conjuncts(Predicate where, List<Predicate> parts)
    {
        if (where is Predicate.AllOf(var all))
        {
            foreach (var part in all)
            {
                Conjuncts(part, parts);
            }
        }
        else
        {
            parts.Add(where);
        }
    }

    /// <summary>How many streams it takes; 0 where no streams can find it.</summary>
    private static int Width(Predicate where)
    {
        switch (where)
        {
            case Predicate.EqualTo or Predicate.IdIn:
                return 1;
            case Predicate.AnyOf(var parts):
                var sum = parts.IsEmpty ? 1 : 0;
                foreach (var part in parts)
                {
                    var width = Width(part);
                    if (width == 0 || sum > UnionStream.Widest)
                    {
                        return 0;
                    }
                    sum += width;
                }
                return sum <= UnionStream.Widest ? sum : 0;
            case Predicate.AllOf(var parts):
                return Streamable(parts).Sum(Width);
            default:
                return 0;
        }
    }

    /// <summary>The parts of a conjunction to intersect: as many as the width allows, one at least where one can be streamed.</summary>
    private static List<Predicate> Streamable(ImmutableArray<Predicate> parts)
    {
        var chosen = new List<Predicate>(parts.Length);
        var width = 0;
        foreach (var part in parts)
        {
            var more = Width(part);
            if (more > 0 && width + more <= UnionStream.Widest)
            {
                chosen.Add(part);
                width += more;
            }
        }
        return chosen;
    }

    private IdStream Build(Predicate where, bool descending)
    {
        switch (where)
        {
            case Predicate.EqualTo(var field, var value):
                return new PostingStream(view, type, field, value.Span, descending);
            case Predicate.IdIn(var ids):
                return new ListStream(ids, descending);
            case Predicate.AnyOf(var parts):
                return Combine([.. parts], every: true, descending, (streams, exact) => new UnionStream(streams, exact, descending));
            case Predicate.AllOf(var parts):
                var chosen = Streamable(parts);
                return Combine(chosen, chosen.Count == parts.Length, descending, (streams, exact) => new IntersectionStream(streams, exact, descending));
            default:
                throw new InvalidOperationException("Only what has a width is built.");
        }
    }

    private IdStream Combine(List<Predicate> parts, bool every, bool descending, Func<IdStream[], bool, IdStream> make)
    {
        var streams = new List<IdStream>(parts.Count);
        try
        {
            var exact = every;
            foreach (var part in parts)
            {
                var stream = Build(part, descending);
                streams.Add(stream);
                exact &= stream.Exact;
            }
            return streams.Count == 1 && exact == streams[0].Exact ? streams[0] : make([.. streams], exact);
        }
        catch
        {
            streams.ForEach(s => s.Dispose());
            throw;
        }
    }

    private bool TryCollect(Predicate where, HashSet<string> ids, int atMost, CancellationToken ct)
    {
        if (Stream(where, descending: false) is { } stream)
        {
            using (stream)
            {
                for (stream.Start(); stream.Valid; stream.Next())
                {
                    if (!Add(ids, stream.Id, atMost, ct))
                    {
                        return false;
                    }
                }
                return true;
            }
        }
        switch (where)
        {
            case Predicate.Between(var field, var from, var to):
                return TryCollect(field, from.Span, to.Span, ids, atMost, ct);
            case Predicate.Present(var field):
                return TryCollect(field, [], [], ids, atMost, ct);
            case Predicate.AnyOf(var parts):
                foreach (var part in parts)
                {
                    if (!TryCollect(part, ids, atMost, ct))
                    {
                        return false;
                    }
                }
                return true;
            case Predicate.AllOf(var parts):
                return Narrowest(parts) is { } narrowest && TryCollect(narrowest, ids, atMost, ct);
            default:
                return false;
        }
    }

    private bool TryCollect(IndexField field, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, HashSet<string> ids, int atMost, CancellationToken ct)
    {
        using var range = new IndexRange(view, type, field, from, to, descending: false);
        for (range.Start(); range.Valid; range.Next())
        {
            if (!Add(ids, range.Id, atMost, ct))
            {
                return false;
            }
        }
        return true;
    }

    private static bool Add(HashSet<string> ids, ReadOnlySpan<byte> id, int atMost, CancellationToken ct)
    {
        if ((ids.Count & 0xFF) == 0)
        {
            ct.ThrowIfCancellationRequested();
        }
        return ids.Add(Encoding.ASCII.GetString(id)) is false || ids.Count <= atMost;
    }

    /// <returns>The part to which the fewest index rows lead; null where no index leads to any.</returns>
    private Predicate? Narrowest(ImmutableArray<Predicate> parts)
    {
        Predicate? narrowest = null;
        var fewest = int.MaxValue;
        foreach (var part in parts)
        {
            if (Probe(part) is { } rows && rows < fewest)
            {
                (narrowest, fewest) = (part, rows);
            }
        }
        return narrowest;
    }

    /// <returns>About how many index rows lead to it, up to <see cref="ProbedRows"/>; null where no index does.</returns>
    private int? Probe(Predicate where)
    {
        switch (where)
        {
            case Predicate.EqualTo(var field, var value):
                Span<byte> next = stackalloc byte[value.Length];
                return Probe(field, value.Span, next[..Rows.RowKeys.After(value.Span, next)]);
            case Predicate.Between(var field, var from, var to):
                return Probe(field, from.Span, to.Span);
            case Predicate.Present(var field):
                return Probe(field, [], []);
            case Predicate.IdIn(var ids):
                return ids.Count;
            case Predicate.AnyOf(var parts):
                var sum = 0;
                foreach (var part in parts)
                {
                    if (Probe(part) is not { } rows)
                    {
                        return null;
                    }
                    sum = Math.Min(sum + rows, ProbedRows);
                }
                return sum;
            case Predicate.AllOf(var parts):
                return parts.Select(Probe).Min();
            default:
                return null;
        }
    }

    private int Probe(IndexField field, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var rows = 0;
        using var range = new IndexRange(view, type, field, from, to, descending: false);
        for (range.Start(); range.Valid && rows < ProbedRows; range.Next())
        {
            rows++;
        }
        return rows;
    }
}
