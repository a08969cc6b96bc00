namespace FhirServer.Settings;

/// <summary>Which engine holds the records, and where it is: the section <c>Storage</c>.</summary>
public sealed record StorageSettings
{
    public required StorageProvider Provider { get; init; }

    /// <summary>Null unless the provider is <see cref="StorageProvider.MongoDb"/>. May hold a password: it goes into no log and no message.</summary>
    public string? MongoDbConnectionString { get; init; }

    /// <summary>Name of the database in MongoDB.</summary>
    public required string MongoDbDatabase { get; init; }

    /// <summary>Longest that one question to MongoDB may take, 1 second to 5 minutes; then the request is refused with 503.</summary>
    public required TimeSpan MongoDbOperationTimeout { get; init; }

    /// <summary>Bytes for resources read or found last, kept opened, 0 to 64 GiB.</summary>
    public required long RecentBytes { get; init; }

    internal static StorageSettings Read(SettingsReader read)
    {
        var provider = read.OneOf("Storage:Provider", nameof(StorageProvider.RocksDb), [nameof(StorageProvider.RocksDb), nameof(StorageProvider.MongoDb)]);
        var connectionString = read.OptionalText("Storage:MongoDb:ConnectionString");
        var database = read.Text("Storage:MongoDb:Database", "fhir");
        if (database.Length > 63 || database.AsSpan().IndexOfAnyExcept(DatabaseCharacters) >= 0)
        {
            read.Refuse("Storage:MongoDb:Database", "a name has 1 to 63 letters, digits, - and _");
        }
        var isMongoDb = provider == nameof(StorageProvider.MongoDb);
        if (isMongoDb && connectionString is null)
        {
            read.Refuse("Storage:MongoDb:ConnectionString", "missing; Storage:Provider is MongoDb and needs it, such as mongodb://db1,db2,db3/?replicaSet=rs0");
        }
        return new()
        {
            Provider = isMongoDb ? StorageProvider.MongoDb : StorageProvider.RocksDb,
            MongoDbConnectionString = isMongoDb ? connectionString : null,
            MongoDbDatabase = database,
            MongoDbOperationTimeout = read.Time("Storage:MongoDb:OperationTimeout", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
            RecentBytes = read.Number("Storage:RecentMegabytes", 64, 0, 65_536) << 20,
        };
    }

    private static readonly System.Buffers.SearchValues<char> DatabaseCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

public enum StorageProvider
{
    /// <summary>Embedded, in the data folder; one process.</summary>
    RocksDb,

    /// <summary>A MongoDB replica set or sharded cluster; any number of processes.</summary>
    MongoDb,
}
