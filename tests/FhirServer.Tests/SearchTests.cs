namespace FhirServer.Tests;

/// <summary>The HTTP side of https://hl7.org/fhir/R4/http.html#search: Bundles, links, forms, access.</summary>
public sealed class SearchTests(ServerFixture server)
{
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task Search_GivesASearchsetWithTheLinkOfTheRequest()
    {
        var value = Guid.NewGuid().ToString();
        var id = (await _client.PostAsync("Patient", BundleTests.Identified(value))).Id;
        var answer = await _client.GetAsync($"Patient/?identifier=urn:test%7C{value}&_count=");

        Assert.Equal(200, answer.Status);
        Assert.Equal("searchset", (string?)answer.Json["type"]);
        var entry = Assert.Single(answer.Entries);
        Assert.Equal($"{server.Base}/Patient/{id}", (string?)entry["fullUrl"]);
        Assert.Equal("match", (string?)entry["search"]!["mode"]);
        Assert.Equal($"{server.Base}/Patient?identifier=urn:test%7C{value}&_count=", answer.Link("self"));
        Assert.Null(answer.Link("next"));
    }

    [Fact]
    public async Task PostSearch_IsTheSameSearch()
    {
        var value = Guid.NewGuid().ToString();
        await _client.PostAsync("Patient", BundleTests.Identified(value));
        var answer = await _client.PostAsync("Patient/_search?_count=5", $"identifier=urn:test%7C{value}", ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Single(answer.Matches);
        Assert.Equal($"{server.Base}/Patient?_count=5&identifier=urn%3Atest%7C{value}", answer.Link("self"));
        Assert.Equal(415, (await _client.PostAsync("Patient/_search", "{}")).Status);
    }

    [Fact]
    public async Task Pages_StayRightWhileOthersWrite()
    {
        var system = $"urn:pages:{Guid.NewGuid():N}";
        string Body(int i) => $$"""{"resourceType":"Patient","identifier":[{"system":"{{system}}","value":"{{i}}"}]}""";
        var wanted = new HashSet<string>();
        for (var i = 0; i < 30; i++)
        {
            wanted.Add((await _client.PostAsync("Patient", Body(i))).Id!);
        }
        var seen = new List<string>();
        var written = 100;
        for (var next = $"Patient?identifier={system}|&_count=7"; next is not null;)
        {
            var page = await _client.GetAsync(next);
            Assert.True(page.Status == 200, page.Text);
            seen.AddRange(page.Matches.Select(match => (string)match["id"]!));
            next = page.Link("next");
            await _client.PostAsync("Patient", Body(written++));
        }
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Superset(wanted, seen.ToHashSet());
    }

    [Fact]
    public async Task Included_ResourcesPassTheAccessDecisionToo()
    {
        var organization = (await _client.PostAsync("Organization", """{"resourceType":"Organization","name":"House"}""")).Id;
        var patient = (await _client.PostAsync("Patient", $$"""{"resourceType":"Patient","managingOrganization":{"reference":"Organization/{{organization}}"} }""")).Id;
        var full = await _client.GetAsync($"Patient?_id={patient}&_include=Patient:organization");
        Assert.Equal(["match", "include"], full.Entries.Select(entry => (string?)entry["search"]!["mode"]));
        var limited = await server.Reader.GetAsync($"Patient?_id={patient}&_include=Patient:organization");
        Assert.DoesNotContain(organization!, limited.Entries.Select(entry => (string?)entry["resource"]!["id"]));
        Assert.Equal(403, (await server.Reader.GetAsync("Patient?_has:Observation:patient:code=x")).Status);
        Assert.Equal(403, (await server.Reader.GetAsync("Patient?organization.name=House")).Status);
        Assert.Equal(403, (await server.Reader.GetAsync("Patient?organization:Organization.name=House")).Status);
        Assert.Equal(403, (await server.Reader.GetAsync("Organization")).Status);
    }

    [Fact]
    public async Task ForeignPageText_IsRefused() => Assert.Equal(400, (await _client.GetAsync("Patient?_page=made-up")).Status);
}
