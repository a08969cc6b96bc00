using Conformance.Tests;
using FhirStore.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace FhirServer.Tests.Processes;

public sealed class RoleTests
{
    [Fact]
    public async Task Worker_AnswersHealthAndMetricsOnly_AndDoesTheJobs()
    {
        await using var database = new SharedDatabase();
        var api = await database.StartAsync("--Server:Roles=api");
        var worker = await database.StartAsync("--Server:Roles=worker");
        await worker.UntilReadyAsync();
        using var client = new FhirClient(worker.Base, null);
        Assert.Equal(200, (await client.GetAsync(worker.Origin + "/health/live")).Status);
        Assert.Equal(200, (await client.GetAsync(worker.Origin + "/metrics")).Status);
        foreach (var path in new[] { "/fhir/metadata", "/fhir/Patient", "/auth/token", "/" })
        {
            var answer = await client.GetAsync(worker.Origin + path);
            Assert.Equal(404, answer.Status);
            Assert.Contains("no api role", (string?)answer.Issues[0]["diagnostics"], StringComparison.Ordinal);
        }
        await UntilOwnedAsync(worker);
        Assert.Empty(api.Application.Services.GetRequiredService<LeasedJobs>().States);
    }

    /// <summary>A worker needs no clients among its settings, and their absence is no order to remove them.</summary>
    [Fact]
    public async Task WorkerWithoutClients_LeavesTheApisClientsAlone()
    {
        await using var database = new SharedDatabase();
        var api = await database.StartAsync("--Server:Roles=api");
        await database.StartAsync("--Server:Roles=worker", "--Auth:Clients:0:ClientId=another-one");
        Assert.Equal(200, (await api.AskForTokenAsync()).Status);
        Assert.Equal(401, (await api.AskForTokenAsync(client: "another-one")).Status);
    }

    [Fact]
    public async Task JobsOfTwoWorkers_GoOverWhenOneStops()
    {
        await using var database = new SharedDatabase();
        string[] settings = ["--Server:Roles=api,worker", "--Server:LeaseTime=00:00:15"]; // they are handed over: none runs out because the machine is slow
        var first = await database.StartAsync(settings);
        await UntilOwnedAsync(first);
        var second = await database.StartAsync(settings);
        await Task.Delay(500);
        Assert.DoesNotContain(States(second), job => job.Value);
        await first.Application.StopAsync(default);
        await UntilOwnedAsync(second);
        Assert.Empty(States(first));
    }

    [Theory]
    [InlineData("api", "nobody ends holds")]
    [InlineData("worker", "nobody answers requests")]
    public async Task EmbeddedEngineWithARoleMissing_SaysSoAtTheStart(string roles, string warning)
    {
        var directory = Directory.CreateTempSubdirectory("fhir-roles-").FullName;
        await using (var server = await RunningServer.StartAsync(directory, [], [new("Server:Roles", roles)], TestContext.Current.CancellationToken))
        {
            Assert.Contains(warning, server.Output, StringComparison.Ordinal);
        }
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>The jobs of a worker, all of them and no other.</summary>
    private static async Task UntilOwnedAsync(SharedDatabase.Member server)
    {
        string[] jobs = ["account-sweep", "audit-retention", "message-sweep", "scheduling-sweeps", "token-sweep"];
        for (var attempt = 0; States(server) is var states && (!states.Select(job => job.Key).Order(StringComparer.Ordinal).SequenceEqual(jobs) || states.Any(job => !job.Value)); attempt++)
        {
            Assert.True(attempt < 1200, string.Join(", ", states));
            await Task.Delay(50);
        }
    }

    private static List<KeyValuePair<string, bool>> States(SharedDatabase.Member server) =>
        [.. server.Application.Services.GetRequiredService<LeasedJobs>().States];
}
