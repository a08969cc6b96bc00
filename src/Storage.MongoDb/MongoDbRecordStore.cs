using System.Collections.Frozen;
using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;
using Storage.MongoDb.Journal;
using Storage.MongoDb.Querying;
using Storage.MongoDb.Writing;

namespace Storage.MongoDb;

/// <summary>The records port on a MongoDB replica set, shared by as many processes as like.</summary>
public sealed partial class MongoDbRecordStore : IRecordStore, IEngineProbe
{
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(2);

    private readonly MongoDbOptions _options;
    private readonly Deployment _deployment;
    private readonly OpenTransactions _transactions;
    private readonly RecordReader _records;
    private readonly JournalReader _journal;
    private readonly Committer _committer;
    private readonly IMongoCollection<BsonDocument> _claims;
    private readonly SemaphoreSlim _reads;
    private int _disposed;

    private MongoDbRecordStore(MongoDbOptions options, Deployment deployment, TimeProvider clock)
    {
        _options = options;
        _deployment = deployment;
        _reads = new(options.MaxOpenReads);
        _claims = deployment.Database.GetCollection<BsonDocument>(Names.Claims);
        var ordered = options.OrderedFields.ToFrozenSet();
        var filters = new PredicateFilter(ordered);
        var sequences = new Sequences(deployment, options.OperationTimeout);
        _transactions = new OpenTransactions(deployment, options);
        _records = new RecordReader(deployment, filters, _transactions, new RollbackCheck(deployment));
        _journal = new JournalReader(deployment, options, clock);
        var attempts = new Attempts(deployment, _transactions, filters, new DocumentWriter(ordered), sequences, clock);
        _committer = new Committer(options, deployment, _transactions, _records, _journal, attempts, sequences);
    }

    public string Engine => "MongoDB";

    public bool IsRequired => true;

    /// <summary>Connects, and brings collections and indexes about where they are missing. Several processes may do so at once.</summary>
    /// <param name="notice">Told in one line, without data or addresses, what an operator should know.</param>
    /// <exception cref="ArgumentException">An option cannot work.</exception>
    /// <exception cref="StoreUnavailableException">Nobody answers, the server is no replica set, refuses the credentials, or a newer version has written there.</exception>
    public static async Task<MongoDbRecordStore> OpenAsync(MongoDbOptions options, TimeProvider clock, Action<string>? notice, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        options.Validate();
        var deployment = await Failures.GuardAsync(options.OperationTimeout, ct, limit => Deployment.ConnectAsync(options, limit)).ConfigureAwait(false);
        try
        {
            if (!deployment.ReadsSnapshots)
            {
                notice?.Invoke("This MongoDB has no snapshot reads outside transactions: every query runs in a transaction of its own.");
            }
            await Schema.PrepareAsync(deployment.Database, options.OrderedFields, ct).ConfigureAwait(false);
            return new(options, deployment, clock);
        }
        catch (Exception e)
        {
            deployment.Dispose();
            if (Failures.Translate(e, options.OperationTimeout) is { } known && !ct.IsCancellationRequested)
            {
                throw known;
            }
            throw;
        }
    }

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => RunAsync(ct, limit => _records.GetAsync(key, limit));

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => RunAsync(ct, async limit =>
        await _records.GetAsync(key, limit).ConfigureAwait(false) is { } current && current.Version == version
            ? current
            : await _journal.PastVersionAsync(key, version, limit).ConfigureAwait(false));

    public Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(commit);
        return ct.IsCancellationRequested ? Task.FromCanceled<CommitResult>(ct) : _committer.CommitAsync(commit, ct);
    }

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 10_000);
        return RunAsync(ct, limit => _records.PageAsync(query, limit));
    }

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(where);
        return RunAsync(ct, limit => _records.CountAsync(type, where, atMost, limit));
    }

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(query.Limit);
        if (query is { Id: not null, Type: null })
        {
            throw new ArgumentException("The history of a record is asked for by type and id.", nameof(query));
        }
        return RunAsync(ct, limit => _journal.HistoryAsync(query, limit));
    }

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) =>
        RunAsync(ct, stop => _journal.ChangesAsync(after, limit, stop));

    public ValueTask<IReadOnlyList<JournalRow>> ReadJournalAsync(long after, int limit, CancellationToken ct) =>
        RunAsync(ct, stop => _journal.RowsAsync(after, limit, stop));

    public ValueTask<long> StampAsync(string name, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return RunAsync(ct, async limit =>
        {
            var found = await _claims.Find(new BsonDocument(Names.Id, CommitPlan.StampId(name))).FirstOrDefaultAsync(limit).ConfigureAwait(false);
            return found is null ? 0 : found.GetValue(Names.Number, BsonNull.Value) is BsonInt64 number ? number.Value : throw Row.Damaged("stamp");
        });
    }

    public async ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        try
        {
            return await Failures.GuardAsync(ProbeLimit, ct, _deployment.CheckAsync).ConfigureAwait(false);
        }
        catch (StoreUnavailableException e)
        {
            return e.Message;
        }
    }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _committer.Dispose();
            _transactions.Dispose();
            _deployment.Dispose();
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>The driver refuses a call when too many wait for a connection; here they wait their turn instead, for as long as a call may take.</summary>
    private ValueTask<T> RunAsync<T>(CancellationToken ct, Func<CancellationToken, Task<T>> run) => new(Failures.GuardAsync(_options.OperationTimeout, ct, async limit =>
    {
        await _reads.WaitAsync(limit).ConfigureAwait(false);
        try
        {
            return await run(limit).ConfigureAwait(false);
        }
        finally
        {
            _reads.Release();
        }
    }));
}
