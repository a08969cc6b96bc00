using MongoDB.Driver;

namespace Tests.Shared;

/// <summary>The engine that a server of this test project runs on: MongoDB, with a database for this server alone.</summary>
internal sealed class EngineUnderTest
{
    private readonly string _database = MongoServer.NewDatabase();

    /// <summary>Whether history has a body of its own of the current version too, which damage to the current row leaves whole.</summary>
    public static bool HasBodiesOfItsOwnInHistory => true;

    /// <summary>Whether the server offers the channel type kafka.</summary>
    public static bool HasKafka => false;

    public static bool IsThere => MongoServer.WhyAbsent is null;

    public IReadOnlyList<KeyValuePair<string, string>> Settings() => !IsThere ? [] :
    [
        new("Storage:Provider", "MongoDb"),
        new("Storage:MongoDb:ConnectionString", MongoServer.UriOrSkip()),
        new("Storage:MongoDb:Database", _database),
    ];

    public async ValueTask DropAsync()
    {
        if (IsThere)
        {
            using var client = new MongoClient(MongoServer.UriOrSkip());
            await client.DropDatabaseAsync(_database);
        }
    }

    /// <summary>Skips the test where the engine is not to be had.</summary>
    public static void SkipIfAbsent()
    {
        if (MongoServer.WhyAbsent is { } why)
        {
            Assert.Skip(why);
        }
    }
}
