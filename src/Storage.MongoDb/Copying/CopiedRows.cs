using System.Runtime.CompilerServices;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Copying;

/// <summary>
/// Reads and writes everything, in the order of <see cref="IStoreCopy"/>. A record does not say which change made it, so the journal is
/// asked for that, a batch at a time.
/// </summary>
internal sealed class CopiedRows(Deployment deployment, DocumentWriter documents, TimeSpan most)
{
    private const int BatchRows = 500;

    private static readonly InsertManyOptions AnyOrder = new() { IsOrdered = false };
    private static readonly BulkWriteOptions AnyOrderOfWrites = new() { IsOrdered = false };

    private readonly IMongoCollection<BsonDocument> _records = deployment.Database.GetCollection<BsonDocument>(Names.Records);
    private readonly IMongoCollection<BsonDocument> _journal = deployment.Database.GetCollection<BsonDocument>(Names.Journal);
    private readonly IMongoCollection<BsonDocument> _counters = deployment.Database.GetCollection<BsonDocument>(Names.Counters);

    public async Task<StoreExtent> MeasureAsync(CancellationToken ct)
    {
        var filter = new BsonDocument { { Names.Id, Numbers(0) }, { Names.Void, Conditions.Absent } };
        var last = await _journal.Find(filter).Sort(new BsonDocument(Names.Id, -1)).Project(new BsonDocument(Names.Id, 1)).FirstOrDefaultAsync(ct).ConfigureAwait(false);
        var journal = await _journal.EstimatedDocumentCountAsync(cancellationToken: ct).ConfigureAwait(false);
        var records = await _records.EstimatedDocumentCountAsync(cancellationToken: ct).ConfigureAwait(false);
        return new(last is null ? 0 : last[Names.Id].ToInt64(), journal, records, IsGapless: false);
    }

    public async IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, [EnumeratorCancellation] CancellationToken ct)
    {
        while (after.IsInJournal)
        {
            var filter = new BsonDocument { { Names.Id, Numbers(after.Sequence) }, { Names.Void, Conditions.Absent } };
            var rows = await Failures.GuardAsync(most, ct, limit => FindAsync(_journal, filter, limit)).ConfigureAwait(false);
            foreach (var row in rows)
            {
                yield return CopiedDocument.ToJournal(row);
            }
            after = rows.Count > 0 ? new(rows[^1][Names.Id].ToInt64(), null) : new(long.MaxValue, null);
        }
        var from = after.Key?.ToString() ?? "";
        while (true)
        {
            var filter = new BsonDocument(Names.Id, new BsonDocument("$gt", from));
            var (rows, sequences) = await Failures.GuardAsync(most, ct, async limit =>
            {
                var found = await FindAsync(_records, filter, limit).ConfigureAwait(false);
                return (found, await SequencesAsync(found, limit).ConfigureAwait(false));
            }).ConfigureAwait(false);
            foreach (var row in rows)
            {
                var record = CopiedDocument.ToRecord(row);
                if (record.Key != IStoreCopy.MarkKey)
                {
                    yield return new StoreRow.Current(record, sequences.GetValueOrDefault((record.Key.ToString(), record.Version)));
                }
            }
            if (rows.Count == 0)
            {
                yield break;
            }
            from = rows[^1][Names.Id].AsString;
        }
    }

    /// <summary>The counter first, so that no number is given twice; the copy's own mark last, so that it never tells of rows that are not there.</summary>
    public async Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct)
    {
        var changes = rows.OfType<StoreRow.Journal>().ToList();
        if (changes.Count > 0)
        {
            var counter = new BsonDocument("$max", new BsonDocument(Names.Number, changes.Max(row => row.Change.Sequence)));
            await _counters.UpdateOneAsync(new BsonDocument(Names.Id, Names.JournalCounter), counter, new UpdateOptions { IsUpsert = true }, ct).ConfigureAwait(false);
            await PutAsync(_journal, [.. changes.Select(CopiedDocument.OfJournal)], ct).ConfigureAwait(false);
        }
        var current = rows.OfType<StoreRow.Current>().ToList();
        var known = await KnownToJournalAsync([.. current.Where(row => row.Sequence == 0).Select(row => row.Record.Key.ToString())], ct).ConfigureAwait(false);
        foreach (var part in (List<StoreRow.Current>[])[[.. current.Where(row => row.Record.Key != IStoreCopy.MarkKey)], [.. current.Where(row => row.Record.Key == IStoreCopy.MarkKey)]])
        {
            await PutAsync(_records, [.. part.Select(row => documents.Record(row.Record, KindOf(row), ObjectId.Empty))], ct).ConfigureAwait(false);
        }

        int KindOf(StoreRow.Current row) => row.Sequence > 0 ? Journalled.Current : known.Contains(row.Record.Key.ToString()) ? Journalled.Earlier : Journalled.Never;
    }

    /// <summary>Compares what a query looks at with the block of entries that a reader is given.</summary>
    public async IAsyncEnumerable<StoreDisagreement> CheckAsync([EnumeratorCancellation] CancellationToken ct)
    {
        for (var from = ""; ;)
        {
            var filter = new BsonDocument(Names.Id, new BsonDocument("$gt", from));
            var rows = await Failures.GuardAsync(most, ct, limit => FindAsync(_records, filter, limit)).ConfigureAwait(false);
            foreach (var row in rows)
            {
                var record = CopiedDocument.ToRecord(row);
                var expected = documents.Record(record, 0, ObjectId.Empty);
                foreach (var element in (string[])[Names.Type, Names.LocalId, Names.Entries, Names.Ordered])
                {
                    if (expected.GetValue(element, BsonNull.Value) != row.GetValue(element, BsonNull.Value))
                    {
                        yield return new(record.Key, "what queries find it by is not what its entries say");
                        break;
                    }
                }
            }
            if (rows.Count == 0)
            {
                yield break;
            }
            from = rows[^1][Names.Id].AsString;
        }
    }

    private static BsonDocument Numbers(long after) => new() { { "$gt", after }, { "$lte", long.MaxValue } };

    private static Task<List<BsonDocument>> FindAsync(IMongoCollection<BsonDocument> collection, BsonDocument filter, CancellationToken ct) =>
        collection.Find(filter).Sort(new BsonDocument(Names.Id, 1)).Limit(BatchRows).ToListAsync(ct);

    /// <returns>By key and version, the change that made each record.</returns>
    private async Task<Dictionary<(string Key, long Version), long>> SequencesAsync(List<BsonDocument> records, CancellationToken ct)
    {
        var keys = new BsonArray(records.Where(row => row.GetValue(Names.Kind, 0).ToInt32() == Journalled.Current).Select(row => row[Names.Id]));
        var sequences = new Dictionary<(string, long), long>();
        if (keys.Count == 0)
        {
            return sequences;
        }
        var filter = new BsonDocument { { Names.Key, new BsonDocument("$in", keys) }, { Names.Id, Numbers(0) }, { Names.Hidden, Conditions.Absent } };
        var elements = new BsonDocument { { Names.Key, 1 }, { Names.Version, 1 } };
        using var found = await _journal.Find(filter).Project(elements).ToCursorAsync(ct).ConfigureAwait(false);
        while (await found.MoveNextAsync(ct).ConfigureAwait(false))
        {
            foreach (var row in found.Current)
            {
                sequences[(row[Names.Key].AsString, row[Names.Version].ToInt64())] = row[Names.Id].ToInt64();
            }
        }
        return sequences;
    }

    private async Task<HashSet<string>> KnownToJournalAsync(List<string> keys, CancellationToken ct)
    {
        if (keys.Count == 0)
        {
            return [];
        }
        var filter = new BsonDocument { { Names.Key, new BsonDocument("$in", new BsonArray(keys)) }, { Names.Id, Numbers(0) } };
        using var found = await _journal.DistinctAsync<string>(Names.Key, filter, cancellationToken: ct).ConfigureAwait(false);
        return [.. await found.ToListAsync(ct).ConfigureAwait(false)];
    }

    /// <summary>Inserts; where some are there already, which a resumed copy finds once, puts each in its place.</summary>
    private static async Task PutAsync(IMongoCollection<BsonDocument> collection, List<BsonDocument> rows, CancellationToken ct)
    {
        if (rows.Count == 0)
        {
            return;
        }
        try
        {
            await collection.InsertManyAsync(rows, AnyOrder, ct).ConfigureAwait(false);
        }
        catch (MongoException e) when (Failures.IsDuplicateKey(e))
        {
            await collection.BulkWriteAsync(
                rows.Select(row => new ReplaceOneModel<BsonDocument>(new BsonDocument(Names.Id, row[Names.Id]), row) { IsUpsert = true }), AnyOrderOfWrites, ct).ConfigureAwait(false);
        }
    }
}
