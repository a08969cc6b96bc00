namespace FhirServer.Tests;

/// <summary>https://hl7.org/fhir/R4/http.html#history.</summary>
public sealed class HistoryTests(ServerFixture server)
{
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task Instance_TellsEveryVersionNewestFirst()
    {
        var id = (await _client.PostAsync("Patient", """{"resourceType":"Patient","gender":"male"}""")).Id;
        await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","gender":"female"}""");
        await _client.DeleteAsync($"Patient/{id}");
        var history = await _client.GetAsync($"Patient/{id}/_history");

        Assert.Equal(200, history.Status);
        Assert.Equal("history", (string?)history.Json["type"]);
        Assert.Equal(["DELETE", "PUT", "POST"], history.Entries.Select(entry => (string?)entry["request"]!["method"]));
        Assert.Equal(["W/\"3\"", "W/\"2\"", "W/\"1\""], history.Entries.Select(entry => (string?)entry["response"]!["etag"]));
        Assert.Null(history.Entries[0]["resource"]);
        Assert.Equal("female", (string?)history.Entries[1]["resource"]!["gender"]);
        Assert.All(history.Entries, entry => Assert.Equal($"{server.Base}/Patient/{id}", (string?)entry["fullUrl"]));
        Assert.Equal($"{server.Base}/Patient/{id}/_history", history.Link("self"));
    }

    [Fact]
    public async Task Type_PagesThroughEverythingOnce()
    {
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            ids.Add((await _client.PostAsync("Endpoint", """{"resourceType":"Endpoint","status":"test","connectionType":{"code":"hl7-fhir-rest"},"payloadType":[{"text":"x"}],"address":"https://example.org"}""")).Id!);
        }
        var seen = new List<string>();
        for (var next = "Endpoint/_history?_count=3"; next is not null;)
        {
            var page = await _client.GetAsync(next);
            Assert.True(page.Entries.Count <= 3);
            seen.AddRange(page.Entries.Select(entry => (string)entry["resource"]!["id"]!));
            next = page.Link("next");
        }
        ids.Reverse();
        Assert.Equal(ids, seen);
    }

    [Fact]
    public async Task System_HonoursSinceAndShowsOnlyWhatTheCallerMaySearch()
    {
        var patient = await _client.PostAsync("Patient", """{"resourceType":"Patient"}""");
        var since = Uri.EscapeDataString((string)patient.Json["meta"]!["lastUpdated"]!);
        await _client.PostAsync("Basic", """{"resourceType":"Basic","code":{"text":"x"}}""");
        var all = new List<System.Text.Json.Nodes.JsonNode?>();
        for (var next = $"_history?_since={since}&_count=1000"; next is not null;) // other tests write to the same server, some of them much
        {
            var page = await _client.GetAsync(next);
            all.AddRange(page.Entries.Select(entry => entry["resource"]));
            next = page.Link("next");
        }
        Assert.Contains(all, resource => (string?)resource?["id"] == patient.Id);
        Assert.Contains(all, resource => (string?)resource?["resourceType"] == "Basic");
        Assert.Empty((await _client.GetAsync("_history?_since=2099-01-01")).Entries);
        Assert.Equal(403, (await server.Reader.GetAsync("_history")).Status);
    }

    [Fact]
    public async Task Instance_ThatNeverWas_Is404() => Assert.Equal(404, (await _client.GetAsync("Patient/never-was/_history")).Status);
}
