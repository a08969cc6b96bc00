using MongoDB.Driver;

namespace Tests.Shared;

/// <summary>The engine that the servers of this test project run on: MongoDB, with a database for this run alone.</summary>
internal static class EngineUnderTest
{
    private static readonly string Database = MongoServer.NewDatabase();

    public static bool IsThere => MongoServer.WhyAbsent is null;

    public static IReadOnlyList<KeyValuePair<string, string>> Settings() => !IsThere ? [] :
    [
        new("Storage:Provider", "MongoDb"),
        new("Storage:MongoDb:ConnectionString", MongoServer.UriOrSkip()),
        new("Storage:MongoDb:Database", Database),
    ];

    public static async ValueTask DropAsync()
    {
        if (IsThere)
        {
            using var client = new MongoClient(MongoServer.UriOrSkip());
            await client.DropDatabaseAsync(Database);
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
