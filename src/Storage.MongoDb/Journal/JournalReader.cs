using System.Collections.Concurrent;
using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Journal;

/// <summary>Reads past versions, history and the change log, all out of the one journal.</summary>
internal sealed class JournalReader(Deployment deployment, MongoDbOptions options, TimeProvider clock)
{
    private const int MostGaps = 10_000;

    private static readonly TimeSpan ForGaps = TimeSpan.FromSeconds(1);

    private static readonly BsonDocument ChangeElements = new() { { Names.Body, 0 }, { Names.Commit, 0 } };
    private static readonly BsonDocument RowElements = new(Names.Commit, 0);

    private readonly IMongoCollection<BsonDocument> _journal = deployment.Database.GetCollection<BsonDocument>(Names.Journal);
    private readonly ConcurrentDictionary<long, long> _gaps = [];

    /// <returns>A version that is no longer, or not only, the current one.</returns>
    public async Task<StoredRecord?> PastVersionAsync(ResourceKey key, long version, CancellationToken ct)
    {
        var filter = new BsonDocument { { Names.Key, key.ToString() }, { Names.Version, version }, { Names.Hidden, Conditions.Absent } };
        var found = await FindAsync(filter, null, 1, null, ct).ConfigureAwait(false);
        return found.Count == 0 ? null : found[0].ToRecord();
    }

    public async Task<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct)
    {
        var filter = new BsonDocument();
        if (query is { Type: { } ofType, Id: { } id })
        {
            filter.Add(Names.Key, new ResourceKey(ofType, id).ToString());
        }
        else if (query.Type is { } type)
        {
            filter.Add(Names.Type, type);
        }
        else
        {
            filter.Add(Names.Void, Conditions.Absent);
        }
        filter.Add(Names.Id, Below(query.Before));
        filter.Add(Names.Hidden, Conditions.Absent);
        if (query.Since is { } since)
        {
            filter.Add(Names.Updated, new BsonDocument("$gte", DocumentWriter.TimeText(since)));
        }
        var found = await FindAsync(filter, new(Names.Id, -1), query.Limit + 1L, null, ct).ConfigureAwait(false);
        var page = found.Take(query.Limit).ToList();
        return new([.. page.Select(r => r.ToRecord())], found.Count > query.Limit ? page[^1].Sequence : null);
    }

    /// <summary>
    /// Rows up to the first number that has none yet: its commit may still be on its way, and a reader that passed it by would never see it.
    /// A number that stays without a row is given a void one, which its commit can no longer take.
    /// </summary>
    public Task<IReadOnlyList<ChangeRow>> ChangesAsync(long after, int limit, CancellationToken ct) =>
        ReadAsync(after, limit, ChangeElements, row => row.ToChange(), ct);

    /// <summary>The same rows with the versions they made.</summary>
    public Task<IReadOnlyList<JournalRow>> RowsAsync(long after, int limit, CancellationToken ct) =>
        ReadAsync(after, limit, RowElements, row => new JournalRow(row.ToChange(), row.IsHidden ? null : row.ToRecord()), ct);

    private async Task<IReadOnlyList<T>> ReadAsync<T>(long after, int limit, BsonDocument elements, Func<Row, T> read, CancellationToken ct)
    {
        var changes = new List<T>();
        var expected = Math.Max(after, 0) + 1;
        while (changes.Count < limit)
        {
            var filter = new BsonDocument(Names.Id, new BsonDocument { { "$gte", expected }, { "$lte", long.MaxValue } });
            var rows = await FindAsync(filter, new(Names.Id, 1), limit - changes.Count, elements, ct).ConfigureAwait(false);
            foreach (var row in rows)
            {
                if (row.Sequence != expected)
                {
                    if (!await TryCloseGapAsync(expected, row.Sequence, ct).ConfigureAwait(false))
                    {
                        return changes;
                    }
                    break; // look again: void rows stand there now, or rows that came at the last moment
                }
                expected++;
                if (!row.IsVoid)
                {
                    changes.Add(read(row));
                }
            }
            if (rows.Count == 0)
            {
                break;
            }
        }
        return changes;
    }

    /// <summary>Gives up numbers whose commit failed. Numbers that have a row keep it.</summary>
    public async Task VoidAsync(long first, long end, CancellationToken ct)
    {
        var rows = new List<BsonDocument>();
        for (var sequence = first; sequence < end && rows.Count < MostGaps; sequence++)
        {
            rows.Add(DocumentWriter.VoidRow(sequence));
        }
        try
        {
            await _journal.InsertManyAsync(rows, new InsertManyOptions { IsOrdered = false }, ct).ConfigureAwait(false);
        }
        catch (MongoBulkWriteException e) when (Failures.IsDuplicateKey(e) && e.WriteConcernError is null)
        {
        }
    }

    /// <returns>True where the commit wrote the row of this number; where it did not, it never will.</returns>
    public async Task<bool> DecideAsync(long sequence, ObjectId commit, CancellationToken ct)
    {
        await VoidAsync(sequence, sequence + 1, ct).ConfigureAwait(false);
        var found = await FindAsync(new(Names.Id, sequence), null, 1, null, ct).ConfigureAwait(false);
        return found.Count == 1 && found[0].Commit == commit;
    }

    private async Task<bool> TryCloseGapAsync(long from, long to, CancellationToken ct)
    {
        if (_gaps.Count > MostGaps)
        {
            _gaps.Clear();
        }
        var seen = _gaps.GetOrAdd(from, _ => clock.GetTimestamp());
        if (clock.GetElapsedTime(seen) < options.SequenceGrace)
        {
            return false;
        }
        using var briefly = CancellationTokenSource.CreateLinkedTokenSource(ct);
        briefly.CancelAfter(ForGaps);
        try
        {
            await VoidAsync(from, to, briefly.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && (briefly.IsCancellationRequested || Failures.IsTransient(e)))
        {
            return false; // a transaction that is still open has written the row: it may yet commit
        }
        _gaps.TryRemove(from, out _);
        return true;
    }

    private static BsonDocument Below(long? before) => before is { } sequence ? new("$lt", sequence) : Conditions.AnyNumber;

    private async Task<List<Row>> FindAsync(BsonDocument filter, BsonDocument? sort, long limit, BsonDocument? elements, CancellationToken ct)
    {
        var find = _journal.Find(filter).Limit((int)Math.Min(limit, int.MaxValue));
        if (sort is not null)
        {
            find = find.Sort(sort);
        }
        return await find.Project(new BsonDocumentProjectionDefinition<BsonDocument, Row>(elements ?? [], RowReader.ForJournal)).ToListAsync(ct).ConfigureAwait(false);
    }
}
