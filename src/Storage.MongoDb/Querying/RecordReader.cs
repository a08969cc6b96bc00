using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Querying;

/// <summary>Reads current records: one by its key, pages by a predicate in an order, counts.</summary>
internal sealed class RecordReader(Deployment deployment, PredicateFilter filters, OpenTransactions transactions, RollbackCheck rollbacks)
{
    private static readonly BsonDocument Whole = new() { { Names.Entries, 0 }, { Names.Ordered, 0 } };

    private readonly IMongoCollection<BsonDocument> _records = deployment.Database.GetCollection<BsonDocument>(Names.Records);

    public async Task<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct)
    {
        var found = FindAsync(null, new(Names.Id, key.ToString()), null, 1, ct);
        if (RollbackCheck.Covers(key.Type))
        {
            return await rollbacks.CheckAsync(key, found, () => FindAsync(null, new(Names.Id, key.ToString()), null, 1, ct), ct).ConfigureAwait(false);
        }
        return (await found.ConfigureAwait(false)).FirstOrDefault()?.ToRecord();
    }

    /// <returns>Versions of those keys that have a record.</returns>
    public async Task<Dictionary<string, long>> VersionsAsync(IEnumerable<ResourceKey> keys, CancellationToken ct)
    {
        var filter = new BsonDocument(Names.Id, new BsonDocument("$in", new BsonArray(keys.Select(k => k.ToString()))));
        var found = await _records.Find(filter).Project(Projection(new() { { Names.Version, 1 } })).ToListAsync(ct).ConfigureAwait(false);
        return found.ToDictionary(r => r.Key!, r => r.Version);
    }

    /// <returns>Whether the record stands as this commit left it.</returns>
    public async Task<bool> IsOfCommitAsync(ResourceKey key, ObjectId commit, CancellationToken ct)
    {
        var found = await _records.Find(new BsonDocument(Names.Id, key.ToString())).Project(Projection(new() { { Names.Commit, 1 } })).FirstOrDefaultAsync(ct).ConfigureAwait(false);
        return found?.Commit == commit;
    }

    public async Task<RecordPage> PageAsync(RecordQuery query, CancellationToken ct)
    {
        if (query.Order.Field is { } field && field != IndexField.LastUpdated && !filters.Orders(field))
        {
            throw new ArgumentException($"Records are not kept in the order of the field {field.Number:X8}: it is not among {nameof(MongoDbOptions.OrderedFields)}.", nameof(query));
        }
        if (filters.Of(query.Type, query.Where) is not { } filter)
        {
            return new([], null);
        }
        var steps = Steps(query, filter);
        var found = steps.Count == 1 && deployment.ReadsSnapshots
            ? await FindAsync(null, steps[0].Filter, steps[0].Sort, query.Limit + 1, ct).ConfigureAwait(false)
            : await transactions.ReadAsync(session => FindInOrderAsync(session, steps, query.Limit + 1, ct), ct).ConfigureAwait(false);
        var records = found.Take(query.Limit).Select(r => r.ToRecord()).ToList();
        if (RollbackCheck.Covers(query.Type))
        {
            await rollbacks.CheckAsync(query.Type, records, VersionsAsync, ct).ConfigureAwait(false);
        }
        var next = found.Count > query.Limit ? CursorOf(records[^1], query.Order) : null;
        return new(records, next);
    }

    public async Task<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct)
    {
        if (atMost < 1 || filters.Of(type, where) is not { } filter)
        {
            return 0;
        }
        var options = new CountOptions { Limit = Math.Min(atMost, int.MaxValue) };
        return deployment.ReadsSnapshots
            ? await _records.WithReadConcern(ReadConcern.Snapshot).CountDocumentsAsync(filter, options, ct).ConfigureAwait(false)
            : await transactions.ReadAsync(session => _records.CountDocumentsAsync(session, filter, options, ct), ct).ConfigureAwait(false);
    }

    /// <summary>The finds that answer a query, one after another: records without the order's field come last, by id.</summary>
    internal static List<(BsonDocument Filter, BsonDocument Sort)> Steps(RecordQuery query, BsonDocument filter)
    {
        var direction = query.Order.Descending ? -1 : 1;
        var beyond = query.Order.Descending ? "$lt" : "$gt";
        var byId = new BsonDocument(Names.LocalId, direction);
        BsonDocument OfType(BsonDocument f) => PredicateFilter.And(PredicateFilter.OfType(query.Type), f);
        BsonDocument AfterId(RecordCursor after) => new(Names.LocalId, new BsonDocument(beyond, after.Id));

        if (query.Order.Field is not { } field)
        {
            return [(query.After is { } cursor ? PredicateFilter.And(filter, AfterId(cursor)) : filter, byId)];
        }
        var always = field == IndexField.LastUpdated;
        var path = always ? Names.Updated : EntryText.Ordered(field);
        var steps = new List<(BsonDocument, BsonDocument)>(2);
        if (query.After is not { Value.IsEmpty: true })
        {
            var with = OfType(filter);
            if (query.After is { } cursor)
            {
                var value = OrderedText.Of(cursor.Value.Span);
                // The bound on the value alone is what an index needs; the alternatives settle ties.
                with = PredicateFilter.And(with, new BsonDocument(path, new BsonDocument(beyond + "e", value)));
                with = PredicateFilter.And(with, new BsonDocument("$or", new BsonArray
                {
                    new BsonDocument(path, new BsonDocument(beyond, value)),
                    new BsonDocument(path, value).AddRange(AfterId(cursor)),
                }));
            }
            else if (!always)
            {
                with = PredicateFilter.And(with, new BsonDocument(path, new BsonDocument("$gte", "")));
            }
            steps.Add((with, new BsonDocument { { path, direction }, { Names.LocalId, direction } }));
        }
        if (!always && !PredicateFilter.Implies(query.Where, field))
        {
            var without = PredicateFilter.And(filter, new BsonDocument(path, Conditions.Absent));
            if (query.After is { Value.IsEmpty: true } cursor)
            {
                without = PredicateFilter.And(without, AfterId(cursor));
            }
            steps.Add((without, byId));
        }
        return steps;
    }

    private async Task<List<Row>> FindInOrderAsync(IClientSessionHandle session, List<(BsonDocument Filter, BsonDocument Sort)> steps, int limit, CancellationToken ct)
    {
        var found = new List<Row>();
        foreach (var (filter, sort) in steps)
        {
            if (found.Count < limit)
            {
                found.AddRange(await FindAsync(session, filter, sort, limit - found.Count, ct).ConfigureAwait(false));
            }
        }
        return found;
    }

    private async Task<List<Row>> FindAsync(IClientSessionHandle? session, BsonDocument filter, BsonDocument? sort, int limit, CancellationToken ct)
    {
        var records = session is null && sort is not null ? _records.WithReadConcern(ReadConcern.Snapshot) : _records;
        var find = (session is null ? records.Find(filter) : records.Find(session, filter)).Limit(limit);
        if (sort is not null)
        {
            find = find.Sort(sort);
        }
        return await find.Project(Projection(Whole)).ToListAsync(ct).ConfigureAwait(false);
    }

    private static RecordCursor CursorOf(StoredRecord record, RecordOrder order) =>
        new(order.Field is { } field ? record.Index.First(field) : default, record.Key.Id);

    private static BsonDocumentProjectionDefinition<BsonDocument, Row> Projection(BsonDocument elements) => new(elements, RowReader.ForRecords);
}
