using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;
using Storage.MongoDb.Querying;

namespace Storage.MongoDb.Writing;

/// <summary>One attempt at a commit: one transaction, from the claims to the answer.</summary>
internal sealed class Attempts(Deployment deployment, OpenTransactions transactions, PredicateFilter filters, DocumentWriter documents, Sequences sequences, TimeProvider clock)
{
    private const int UnknownTries = 5;

    private static readonly BulkWriteOptions InOrder = new() { IsOrdered = true };

    private readonly IMongoCollection<BsonDocument> _records = deployment.Database.GetCollection<BsonDocument>(Names.Records);
    private readonly IMongoCollection<BsonDocument> _journal = deployment.Database.GetCollection<BsonDocument>(Names.Journal);
    private readonly IMongoCollection<BsonDocument> _claims = deployment.Database.GetCollection<BsonDocument>(Names.Claims);
    private readonly JournalMoves _moves = new(deployment, documents);

    public async Task<Outcome> TryAsync(CommitPlan plan, Ticket ticket, CancellationToken ct)
    {
        if (plan.Alone is { } alone && !deployment.IsSharded && await TryAloneAsync(plan, alone, ct).ConfigureAwait(false) is { } done)
        {
            return done;
        }
        using var session = await transactions.BeginAsync(ct).ConfigureAwait(false);
        try
        {
            return await WriteAsync(session, plan, ticket, ct).ConfigureAwait(false) ?? await EndAsync(session, ticket, ct).ConfigureAwait(false);
        }
        catch (MongoException e) when (Failures.IsTransient(e) || Failures.IsFailover(e))
        {
            // Not out of the ending: what goes wrong there comes back as an outcome.
            return new Outcome.Again();
        }
        finally
        {
            await transactions.AbortAsync(session).ConfigureAwait(false);
        }
    }

    /// <returns>Null where the commit is written and wants to be ended.</returns>
    private async Task<Outcome?> WriteAsync(IClientSessionHandle session, CommitPlan plan, Ticket ticket, CancellationToken ct)
    {
        if (!await TryClaimAsync(session, plan, ct).ConfigureAwait(false))
        {
            return new Outcome.Again();
        }
        if (!await TryWriteRecordsAsync(session, plan, ct).ConfigureAwait(false) || await AnyStandsAsync(session, plan, ct).ConfigureAwait(false))
        {
            return new Outcome.Overtaken();
        }
        foreach (var condition in plan.Conditions)
        {
            if (await FindMatchAsync(session, plan, condition, ct).ConfigureAwait(false) is { } found)
            {
                return new Outcome.Matched(condition, found);
            }
        }
        if (plan.JournalRows > 0 && !await TryJournalAsync(session, plan, ticket, ct).ConfigureAwait(false))
        {
            return new Outcome.NumbersTaken();
        }
        if (!plan.Commit.Removals.IsEmpty)
        {
            await _moves.RemoveAsync(session, plan.Commit.Removals, ct).ConfigureAwait(false);
        }
        return null;
    }

    private async Task<bool> TryClaimAsync(IClientSessionHandle session, CommitPlan plan, CancellationToken ct)
    {
        var now = new BsonDateTime(clock.GetUtcNow().UtcDateTime);
        var moves = new List<WriteModel<BsonDocument>>();
        foreach (var claim in plan.Claims)
        {
            moves.Add(Move(claim, new() { { "$inc", new BsonDocument(Names.Number, 1L) }, { "$set", new BsonDocument(Names.At, now) } }));
        }
        foreach (var stamp in plan.Stamps)
        {
            moves.Add(Move(stamp, new("$inc", new BsonDocument(Names.Number, 1L))));
        }
        if (moves.Count == 0)
        {
            return true;
        }
        try
        {
            await _claims.BulkWriteAsync(session, moves, InOrder, ct).ConfigureAwait(false);
            return true;
        }
        catch (MongoException e) when (Failures.IsDuplicateKey(e))
        {
            return false; // somebody made the claim's document at the same moment
        }

        static UpdateOneModel<BsonDocument> Move(string id, BsonDocument update) => new(new BsonDocument(Names.Id, id), update) { IsUpsert = true };
    }

    private async Task<bool> TryWriteRecordsAsync(IClientSessionHandle session, CommitPlan plan, CancellationToken ct)
    {
        var updates = new List<WriteModel<BsonDocument>>();
        var inserts = new List<BsonDocument>();
        foreach (var write in plan.Commit.Writes)
        {
            var document = documents.Record(write.Record, write.Journal ? Journalled.Current : Journalled.Never, plan.Id);
            if (write.Expected == 0)
            {
                inserts.Add(document);
            }
            else
            {
                updates.Add(new ReplaceOneModel<BsonDocument>(StandingAt(write.Record.Key, write.Expected).Add(Names.Kind, document[Names.Kind]), document));
            }
        }
        foreach (var condition in plan.Versions.Where(v => v.Version > 0))
        {
            updates.Add(new UpdateOneModel<BsonDocument>(StandingAt(condition.Key, condition.Version), new BsonDocument("$inc", new BsonDocument(Names.Seen, 1))));
        }
        if (updates.Count > 0)
        {
            var result = await _records.BulkWriteAsync(session, updates, InOrder, ct).ConfigureAwait(false);
            if (result.MatchedCount != updates.Count && !await _moves.TryReplaceOtherKindAsync(session, plan, ct).ConfigureAwait(false))
            {
                return false;
            }
        }
        if (inserts.Count > 0)
        {
            try
            {
                await _records.InsertManyAsync(session, inserts, cancellationToken: ct).ConfigureAwait(false);
            }
            catch (MongoException e) when (Failures.IsDuplicateKey(e))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether a record stands that a condition wants absent; in a sharded deployment also one that a write would make a second time.</summary>
    private async Task<bool> AnyStandsAsync(IClientSessionHandle session, CommitPlan plan, CancellationToken ct)
    {
        var absent = plan.Versions.Where(v => v.Version == 0).Select(v => v.Key.ToString()).ToList();
        var filter = new BsonDocument(Names.Id, new BsonDocument("$in", new BsonArray(absent)));
        if (deployment.IsSharded)
        {
            var made = plan.Commit.Writes.Where(w => w.Expected == 0).Select(w => w.Record.Key.ToString()).ToList();
            if (made.Count > 0)
            {
                var others = new BsonDocument { { Names.Id, new BsonDocument("$in", new BsonArray(made)) }, { Names.Commit, new BsonDocument("$ne", plan.Id) } };
                filter = absent.Count == 0 ? others : new("$or", new BsonArray { filter, others });
                absent.AddRange(made);
            }
        }
        return absent.Count > 0 && await _records.Find(session, filter).Limit(1).AnyAsync(ct).ConfigureAwait(false);
    }

    private async Task<ResourceKey?> FindMatchAsync(IClientSessionHandle session, CommitPlan plan, RecordCondition.NoneMatch condition, CancellationToken ct)
    {
        if (filters.Of(condition.Type, condition.Where) is not { } filter)
        {
            return null;
        }
        var aside = condition.Except.Concat(plan.Commit.Writes.Select(w => w.Record.Key).Concat(plan.Commit.Removals).Where(k => k.Type == condition.Type).Select(k => k.Id));
        var ids = new BsonArray(aside.Distinct(StringComparer.Ordinal));
        if (ids.Count > 0)
        {
            filter = PredicateFilter.And(filter, new(Names.LocalId, new BsonDocument("$nin", ids)));
        }
        var found = await _records.Find(session, filter).Limit(1)
            .Project(new BsonDocumentProjectionDefinition<BsonDocument, Row>(new(Names.Id, 1), RowReader.ForRecords)).FirstOrDefaultAsync(ct).ConfigureAwait(false);
        return found?.ResourceKey;
    }

    /// <summary>Last of all, so that few numbers are taken in vain and readers of the log wait for a moment only.</summary>
    private async Task<bool> TryJournalAsync(IClientSessionHandle session, CommitPlan plan, Ticket ticket, CancellationToken ct)
    {
        if (ticket.IsEmpty)
        {
            ticket.Hold(await sequences.TakeAsync(plan.JournalRows, ct).ConfigureAwait(false), plan.JournalRows);
        }
        var next = ticket.First;
        var rows = plan.Commit.Writes.Where(w => w.Journal).Select(w => DocumentWriter.JournalRow(next++, w.Record, w.Cause, plan.Id)).ToList();
        try
        {
            await _journal.InsertManyAsync(session, rows, cancellationToken: ct).ConfigureAwait(false);
            return true;
        }
        catch (MongoException e) when (Failures.IsDuplicateKey(e))
        {
            return false;
        }
    }

    private async Task<Outcome> EndAsync(IClientSessionHandle session, Ticket ticket, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await session.CommitTransactionAsync(ct).ConfigureAwait(false);
                ticket.IsUsed = true;
                return new Outcome.Committed();
            }
            catch (MongoException e) when (Failures.IsTransient(e))
            {
                throw; // it has not committed and never will
            }
            catch (MongoException e) when (tries < UnknownTries && Failures.IsUnknownCommit(e))
            {
                await Task.Delay(20 << tries, ct).ConfigureAwait(false); // asking again does no harm: the server knows the transaction
            }
            catch (Exception e) when (e is MongoException or OperationCanceledException or TimeoutException)
            {
                await transactions.KillAsync(session).ConfigureAwait(false);
                return e is MongoException known && Failures.IsUnknownCommit(known) ? new Outcome.Unknown(e) : throw Unsettled(e);
            }
        }
    }

    public static StoreUnavailableException Unsettled(Exception why) =>
        new("MongoDB did not answer a commit; whether it took effect is not known.", why);

    /// <returns>Null where a transaction has to do it after all.</returns>
    private async Task<Outcome?> TryAloneAsync(CommitPlan plan, RecordWrite write, CancellationToken ct)
    {
        var document = documents.Record(write.Record, Journalled.Never, plan.Id);
        try
        {
            if (write.Expected == 0)
            {
                await _records.InsertOneAsync(document, cancellationToken: ct).ConfigureAwait(false);
                return new Outcome.Committed();
            }
            var filter = StandingAt(write.Record.Key, write.Expected).Add(Names.Kind, Journalled.Never);
            var result = await _records.ReplaceOneAsync(filter, document, cancellationToken: ct).ConfigureAwait(false);
            return result.MatchedCount == 1 ? new Outcome.Committed() : null;
        }
        catch (MongoException e) when (Failures.IsDuplicateKey(e))
        {
            return new Outcome.Overtaken();
        }
        catch (MongoException e) when (e is MongoConnectionException || e.HasErrorLabel("RetryableWriteError"))
        {
            return new Outcome.Unknown(e);
        }
    }

    private static BsonDocument StandingAt(ResourceKey key, long version) => new() { { Names.Id, key.ToString() }, { Names.Version, version } };
}
