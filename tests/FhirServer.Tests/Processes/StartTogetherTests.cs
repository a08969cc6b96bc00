using FhirCore.Records;
using FhirServer.Hosting;
using FhirStore.Encryption;

namespace FhirServer.Tests.Processes;

/// <summary>Several processes that start on one empty database at the same moment.</summary>
public sealed class StartTogetherTests
{
    private const int Processes = 4;

    [Fact]
    public async Task EmptyDatabase_OneSetOfKeys_OneClient_OneDemo()
    {
        await using var database = new SharedDatabase();
        var starting = Enumerable.Range(0, Processes).Select(_ => Task.Run(() => database.StartAsync(FhirApplication.DemoSwitch, "--Demo:HistoryWeeks=0"))).ToArray();
        var servers = await Task.WhenAll(starting);
        await Task.WhenAll(servers.Select(server => server.UntilReadyAsync()));

        // What one writes every other reads, with a token of any.
        var clients = await Task.WhenAll(servers.Select(server => server.SignInAsync()));
        var patients = new HashSet<int>();
        for (var i = 0; i < Processes; i++)
        {
            var made = await clients[i].PostAsync("Patient", $$"""{"resourceType":"Patient","identifier":[{"system":"urn:together","value":"{{i}}"}]}""");
            Assert.Equal(201, made.Status);
            for (var j = 0; j < Processes; j++)
            {
                Assert.Equal(200, (await clients[j].GetAsync($"Patient/{made.Id}")).Status);
                Assert.Single((await clients[j].GetAsync($"Patient?identifier=urn:together|{i}")).Matches);
            }
        }
        var records = database.Store;
        Assert.Equal(2, await records.CountAsync("_OAuthApplication", Predicate.Everything, 10, default)); // of the settings, and of the demo
        // Written once: a second seeding would have made second versions.
        foreach (var type in new[] { "Organization", "Practitioner", "Schedule", "Slot", "Patient", "Appointment" })
        {
            var page = await records.QueryAsync(new(type, Predicate.Everything, RecordOrder.ById, null, 10_000), default);
            Assert.NotEmpty(page.Records);
            Assert.All(page.Records, record => Assert.Equal(1, record.Version));
        }
        foreach (var client in clients)
        {
            client.Dispose();
        }
    }

    [Fact]
    public async Task AnotherMasterKey_StopsTheStart()
    {
        await using var database = new SharedDatabase();
        await database.StartAsync();
        var other = Path.Combine(Path.GetDirectoryName(database.KeyFile)!, "other.key");
        FileKeyVault.Open(other, mayCreate: true).Dispose();
        await Assert.ThrowsAsync<WrongRootKeyException>(() => database.StartAsync($"--Keys:File:Path={other}"));
        var missing = await Assert.ThrowsAsync<KeyFileException>(() => database.StartAsync($"--Keys:File:Path={other}.missing"));
        Assert.Contains(".missing", missing.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(other + ".missing"));
    }
}
