using System.Net;
using System.Text.Json.Nodes;

namespace Faults.Tests;

/// <summary>Many at once for one thing: on one process with the embedded engine, and on three processes with one MongoDB.</summary>
public abstract class RaceTests
{
    protected abstract Deployment Deploy();

    [Fact]
    public async Task Book_ThousandAtOnceOnOneSlot_ExactlyOneIsCreatedAndTheRestAreConflicts()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var server = Deploy();
        await server.StartAsync(ct);
        await Clinic.OpenAsync(server, ct);
        var slot = (await Clinic.AddDayAsync(server, "race", new DateOnly(2041, 6, 1), 1, ct))[0];
        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(() => Clinic.BookAsync(server, slot, ct), ct)));

        var created = Assert.Single(answers, a => a.Status == HttpStatusCode.Created);
        foreach (var (status, body) in answers.Where(a => a.Status != HttpStatusCode.Created))
        {
            Assert.Equal(HttpStatusCode.Conflict, status);
            Assert.Equal("OperationOutcome", (string)body!["resourceType"]!);
        }
        var appointment = Assert.Single(await server.SearchAsync("Appointment?date=2041-06-01", ct));
        Assert.Equal((string)created.Body!["id"]!, (string)appointment["id"]!);
        Assert.Single(await server.SearchAsync("Slot?schedule=Schedule/schedule-race&status=busy", ct));
        var (_, history) = await server.SendAsync(HttpMethod.Get, "Appointment/_history?_count=50", null, ct);
        Assert.Single(history!["entry"]!.AsArray());
    }

    [Fact]
    public async Task ConditionalCreate_HundredAtOnceWithOneIdentifier_OneResource()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var server = Deploy();
        await server.StartAsync(ct);
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => server.SendAsync(
            HttpMethod.Post, "Patient", JsonNode.Parse($$"""{"resourceType":"Patient","identifier":[{"system":"urn:test","value":"one"}],"name":[{"family":"Writer{{i}}"}]}"""), ct,
            ("If-None-Exist", "identifier=urn:test|one")), ct)));

        Assert.Single(answers, a => a.Status == HttpStatusCode.Created);
        Assert.Equal(99, answers.Count(a => a.Status == HttpStatusCode.OK));
        Assert.Single(await server.SearchAsync("Patient?identifier=urn:test|one", ct));
    }
}

[Collection("one at a time")]
public sealed class RocksDbRaceTests : RaceTests
{
    protected override Deployment Deploy() => new ServerProcess();
}

[Collection("one at a time")]
public sealed class MongoDbRaceTests : RaceTests
{
    protected override Deployment Deploy() => new Cluster(3);
}
