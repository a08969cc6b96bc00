using Conformance.Tests;

namespace Faults.Tests;

/// <summary>An engine that several processes share, as settings. The one place in this project that knows which.</summary>
internal static class SharedEngine
{
    /// <returns>Settings of a new, empty database; or the test is skipped and says what it needs.</returns>
    public static KeyValuePair<string, string>[] SettingsOrSkip()
    {
        var configuration = AppContext.BaseDirectory.Contains("Release", StringComparison.OrdinalIgnoreCase) ? "Release" : "Debug";
        var adapter = Path.Combine(RunningServer.RepositoryRoot, "src", "FhirServer", "bin", configuration, "net10.0", "Storage.MongoDb.dll");
        Assert.SkipUnless(File.Exists(adapter), "needs an engine that several processes share: this build of the server has none");
        var address = Environment.GetEnvironmentVariable("MONGODB_URI");
        Assert.SkipWhen(string.IsNullOrEmpty(address), "needs MongoDB: set MONGODB_URI to a replica set for tests");
        return
        [
            new("Storage:Provider", "MongoDb"),
            new("Storage:MongoDb:ConnectionString", address!),
            new("Storage:MongoDb:Database", $"test_{Guid.NewGuid():N}"),
        ];
    }
}
