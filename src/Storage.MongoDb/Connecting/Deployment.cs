using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Storage.MongoDb.Connecting;

/// <summary>The driver's client with the settings the store's promises need, and what kind of deployment answers.</summary>
internal sealed class Deployment : IDisposable
{
    private static readonly BsonDocument Hello = new("hello", 1);

    private readonly MongoClient _client;

    private Deployment(MongoClient client, IMongoDatabase database, bool isSharded, bool readsSnapshots)
    {
        _client = client;
        Database = database;
        IsSharded = isSharded;
        ReadsSnapshots = readsSnapshots;
    }

    public IMongoDatabase Database { get; }

    public bool IsSharded { get; }

    /// <summary>A query outside a transaction may ask for one moment's state (MongoDB from 5.0 on).</summary>
    public bool ReadsSnapshots { get; }

    public IMongoClient Client => _client;

    /// <summary>Votes of most members, each with its own journal on disk.</summary>
    public static WriteConcern Durable { get; } = WriteConcern.WMajority.With(journal: true);

    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public static MongoClientSettings SettingsOf(MongoDbOptions options)
    {
        MongoClientSettings settings;
        try
        {
            settings = MongoClientSettings.FromConnectionString(options.ConnectionString);
        }
        catch (Exception e) when (e is MongoConfigurationException or FormatException or ArgumentException)
        {
            // The driver's message may quote the string, and the string may hold a password.
            throw new ArgumentException($"{nameof(MongoDbOptions.ConnectionString)} is no MongoDB connection string.");
        }
        settings.ReadPreference = ReadPreference.Primary;
        settings.ReadConcern = ReadConcern.Majority;
        settings.WriteConcern = Durable;
        settings.RetryReads = true;
        settings.RetryWrites = true;
        settings.ServerSelectionTimeout = options.OperationTimeout * 0.8; // before the call ends: its report says why
        settings.ConnectTimeout = Min(settings.ConnectTimeout, options.OperationTimeout);
        settings.WaitQueueTimeout = options.OperationTimeout;
        settings.SocketTimeout = options.OperationTimeout + TimeSpan.FromSeconds(5);
        settings.ApplicationName ??= "fhir-server";
        return settings;
    }

    /// <exception cref="StoreUnavailableException">Nobody answers, or it is no deployment with transactions.</exception>
    public static async Task<Deployment> ConnectAsync(MongoDbOptions options, CancellationToken ct)
    {
        var client = new MongoClient(SettingsOf(options));
        try
        {
            var hello = await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(Hello, cancellationToken: ct).ConfigureAwait(false);
            var isSharded = hello.GetValue("msg", "") == "isdbgrid";
            if (!isSharded && !hello.Contains("setName"))
            {
                throw new StoreUnavailableException("This MongoDB runs standalone and so has no transactions. " + Failures.Standalone);
            }
            var database = client.GetDatabase(options.Database);
            return new(client, database, isSharded, await ReadsSnapshotsAsync(database, ct).ConfigureAwait(false));
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <returns>Null when the primary answers and takes writes.</returns>
    public async Task<string?> CheckAsync(CancellationToken ct)
    {
        var hello = await _client.GetDatabase("admin").RunCommandAsync<BsonDocument>(Hello, cancellationToken: ct).ConfigureAwait(false);
        return hello.GetValue("isWritablePrimary", false).ToBoolean() ? null : "The MongoDB server that answers takes no writes: it is no primary.";
    }

    public void Dispose() => _client.Dispose();

    private static async Task<bool> ReadsSnapshotsAsync(IMongoDatabase database, CancellationToken ct)
    {
        try
        {
            await database.GetCollection<BsonDocument>(Documents.Names.Meta).WithReadConcern(ReadConcern.Snapshot)
                .Find(FilterDefinition<BsonDocument>.Empty).Limit(1).AnyAsync(ct).ConfigureAwait(false);
            return true;
        }
        catch (MongoCommandException e) when (e is not (MongoNotPrimaryException or MongoNodeIsRecoveringException) && e.Code is not (13 or 18))
        {
            return false; // queries then run in transactions
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
