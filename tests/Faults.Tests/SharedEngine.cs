using Tests.Shared;

namespace Faults.Tests;

/// <summary>An engine that several processes share, as settings. The one place in this project that knows which.</summary>
internal static class SharedEngine
{
    /// <returns>Settings of a database; or the test is skipped and says what it needs.</returns>
    public static KeyValuePair<string, string>[] SettingsOrSkip(string database) =>
    [
        new("Storage:Provider", "MongoDb"),
        new("Storage:MongoDb:ConnectionString", MongoServer.UriOrSkip()),
        new("Storage:MongoDb:Database", database),
        new("Storage:MongoDb:OperationTimeout", "00:01:00"), // these tests fill the machine themselves: a process that starts meanwhile waits
    ];

    public static async Task DropAsync(string database)
    {
        using var client = new MongoDB.Driver.MongoClient(MongoServer.UriOrSkip());
        await client.DropDatabaseAsync(database);
    }
}
