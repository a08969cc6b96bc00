using System.Collections.Immutable;
using FhirCore;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Writing;

/// <summary>What a commit does to journal rows that are there already: rare, and the only writes that look before they act.</summary>
internal sealed class JournalMoves(Deployment deployment, DocumentWriter documents)
{
    /// <summary>History forgets the version; the change log does not.</summary>
    private static readonly BsonDocument Hide = new() { { "$set", new BsonDocument(Names.Hidden, BsonBoolean.True) }, { "$unset", new BsonDocument(Names.Body, 1) } };

    private readonly IMongoCollection<BsonDocument> _records = deployment.Database.GetCollection<BsonDocument>(Names.Records);
    private readonly IMongoCollection<BsonDocument> _journal = deployment.Database.GetCollection<BsonDocument>(Names.Journal);

    /// <summary>
    /// Replaces those records that stand at the expected version but not in the expected relation to the journal: an internal version that a
    /// journalled one replaces is kept as a past version, a journalled one that an internal one replaces leaves history.
    /// </summary>
    /// <returns>False where a version is not the expected one.</returns>
    public async Task<bool> TryReplaceOtherKindAsync(IClientSessionHandle session, CommitPlan plan, CancellationToken ct)
    {
        var ids = new BsonArray(plan.Keys.Select(k => k.ToString()));
        var elements = new BsonDocument { { Names.Entries, 0 }, { Names.Ordered, 0 } };
        var found = await _records.Find(session, new BsonDocument(Names.Id, new BsonDocument("$in", ids)))
            .Project(new BsonDocumentProjectionDefinition<BsonDocument, Row>(elements, RowReader.ForRecords)).ToListAsync(ct).ConfigureAwait(false);
        var rows = found.ToDictionary(r => r.Key!);
        if (plan.Versions.Any(v => v.Version > 0 && rows.GetValueOrDefault(v.Key.ToString())?.Version != v.Version))
        {
            return false;
        }
        foreach (var write in plan.Commit.Writes.Where(w => w.Expected > 0))
        {
            var key = write.Record.Key.ToString();
            if (!rows.TryGetValue(key, out var row) || (row.Commit != plan.Id && row.Version != write.Expected))
            {
                return false;
            }
            if (row.Commit == plan.Id)
            {
                continue;
            }
            var kind = Journalled.Current;
            if (write.Journal)
            {
                await _journal.InsertOneAsync(session, DocumentWriter.JournalRow($"{key}@{row.Version}", row.ToRecord(), "internal", row.Commit), cancellationToken: ct).ConfigureAwait(false);
            }
            else
            {
                kind = Journalled.Earlier;
                await _journal.UpdateManyAsync(session, new BsonDocument { { Names.Key, key }, { Names.Id, Conditions.AnyNumber }, { Names.Version, row.Version } }, Hide, cancellationToken: ct).ConfigureAwait(false);
            }
            var at = new BsonDocument { { Names.Id, key }, { Names.Version, row.Version } };
            var replaced = await _records.ReplaceOneAsync(session, at, documents.Record(write.Record, kind, plan.Id), cancellationToken: ct).ConfigureAwait(false);
            if (replaced.MatchedCount != 1)
            {
                return false;
            }
        }
        return true;
    }

    public async Task RemoveAsync(IClientSessionHandle session, ImmutableArray<ResourceKey> keys, CancellationToken ct)
    {
        var ids = new BsonDocument("$in", new BsonArray(keys.Select(k => k.ToString())));
        var unjournalled = await _records.DeleteManyAsync(session, new BsonDocument { { Names.Id, ids }, { Names.Kind, Journalled.Never } }, cancellationToken: ct).ConfigureAwait(false);
        if (unjournalled.DeletedCount == keys.Length)
        {
            return;
        }
        await _records.DeleteManyAsync(session, new BsonDocument(Names.Id, ids), cancellationToken: ct).ConfigureAwait(false);
        await _journal.UpdateManyAsync(session, new BsonDocument { { Names.Key, ids }, { Names.Id, Conditions.AnyNumber }, { Names.Hidden, Conditions.Absent } }, Hide, cancellationToken: ct).ConfigureAwait(false);
        await _journal.DeleteManyAsync(session, new BsonDocument { { Names.Key, ids }, { Names.Id, new BsonDocument("$type", "string") } }, cancellationToken: ct).ConfigureAwait(false);
    }
}
