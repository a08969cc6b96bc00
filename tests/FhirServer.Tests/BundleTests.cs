using System.Text.Json.Nodes;

namespace FhirServer.Tests;

/// <summary>https://hl7.org/fhir/R4/http.html#transaction.</summary>
public sealed class BundleTests(ServerFixture server)
{
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task Transaction_GivesIdsAndResolvesReferencesBetweenItsEntries()
    {
        var patient = $"urn:uuid:{Guid.NewGuid()}";
        var answer = await _client.PostAsync("", Bundle("transaction",
            Post("Observation", $$"""{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"{{patient}}"} }"""),
            Post("Patient", """{"resourceType":"Patient","active":true}""", patient)));

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("transaction-response", (string?)answer.Json["type"]);
        Assert.All(answer.Entries, entry => Assert.Equal("201 Created", (string?)entry["response"]!["status"]));
        Assert.All(answer.Entries, entry => Assert.Equal("W/\"1\"", (string?)entry["response"]!["etag"]));
        Assert.All(answer.Entries, entry => Assert.NotNull(entry["response"]!["lastModified"]));
        var observation = await _client.GetAsync((string)answer.Entries[0]["response"]!["location"]!);
        var reference = (string)observation.Json["subject"]!["reference"]!;
        Assert.EndsWith($"{reference}/_history/1", (string)answer.Entries[1]["response"]!["location"]!, StringComparison.Ordinal);
        Assert.Equal(200, (await _client.GetAsync(reference)).Status);
    }

    [Fact]
    public async Task Transaction_WithOneBadEntry_ChangesNothingAndNamesTheEntry()
    {
        var id = Guid.NewGuid().ToString();
        var answer = await _client.PostAsync("", Bundle("transaction",
            Put($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}"}"""),
            Post("Patient", """{"resourceType":"Patient","gender":"unclear"}""")));

        Assert.Equal(400, answer.Status);
        Assert.Equal("Bundle.entry[1].resource.gender", (string?)answer.Issues[0]["expression"]![0]);
        Assert.Equal(404, (await _client.GetAsync($"Patient/{id}")).Status);
    }

    [Fact]
    public async Task Transaction_WithAStaleVersion_ChangesNothing()
    {
        var id = Guid.NewGuid().ToString();
        Assert.Equal(201, (await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}"}""")).Status);
        var other = Guid.NewGuid().ToString();
        var stale = Put($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","active":true}""");
        stale["request"]!["ifMatch"] = "W/\"7\"";
        var answer = await _client.PostAsync("", Bundle("transaction", Put($"Patient/{other}", $$"""{"resourceType":"Patient","id":"{{other}}"}"""), stale));

        Assert.Equal(412, answer.Status);
        Assert.StartsWith("Bundle.entry[1]", (string?)answer.Issues[0]["expression"]![0], StringComparison.Ordinal);
        Assert.Equal(404, (await _client.GetAsync($"Patient/{other}")).Status);
    }

    [Fact]
    public async Task Transaction_WithTheSameResourceTwice_IsRefusedWhole()
    {
        var id = Guid.NewGuid().ToString();
        var body = $$"""{"resourceType":"Patient","id":"{{id}}"}""";
        var answer = await _client.PostAsync("", Bundle("transaction", Put($"Patient/{id}", body), Put($"Patient/{id}", body)));
        Assert.Equal(400, answer.Status);
        Assert.Equal(404, (await _client.GetAsync($"Patient/{id}")).Status);
    }

    [Fact]
    public async Task Transaction_ConditionalCreateThatMatches_IsWhatReferencesPointAt()
    {
        var value = Guid.NewGuid().ToString();
        var existing = (await _client.PostAsync("Patient", Identified(value))).Id;
        var name = $"urn:uuid:{Guid.NewGuid()}";
        var conditional = Post("Patient", Identified(value), name);
        conditional["request"]!["ifNoneExist"] = $"identifier=urn:test|{value}";
        var answer = await _client.PostAsync("", Bundle("transaction", conditional,
            Post("Observation", $$"""{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"{{name}}"} }"""),
            Post("Observation", $$"""{"resourceType":"Observation","status":"final","code":{"text":"y"},"subject":{"reference":"Patient?identifier=urn:test|{{value}}"} }""")));

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("200 OK", (string?)answer.Entries[0]["response"]!["status"]);
        foreach (var entry in answer.Entries.Skip(1))
        {
            var observation = await _client.GetAsync((string)entry["response"]!["location"]!);
            Assert.Equal($"Patient/{existing}", (string?)observation.Json["subject"]!["reference"]);
        }
    }

    /// <summary>A fixed bug: an entry that is alone and has no fullUrl kept the criteria as they were.</summary>
    [Fact]
    public async Task Transaction_OfOneEntryWithoutFullUrl_FindsWhatItsReferenceAsksFor()
    {
        var value = Guid.NewGuid().ToString();
        var patient = (await _client.PostAsync("Patient", Identified(value))).Id;
        var answer = await _client.PostAsync("", Bundle("transaction",
            Post("Observation", $$"""{"resourceType":"Observation","status":"final","code":{"text":"y"},"subject":{"reference":"Patient?identifier=urn:test|{{value}}"} }""")));

        Assert.True(answer.Status == 200, answer.Text);
        var observation = await _client.GetAsync((string)answer.Entries[0]["response"]!["location"]!);
        Assert.Equal($"Patient/{patient}", (string?)observation.Json["subject"]!["reference"]);
    }

    [Fact]
    public async Task Transaction_WithAConditionalReferenceToNothing_IsRefusedWhole()
    {
        var answer = await _client.PostAsync("", Bundle("transaction",
            Post("Patient", """{"resourceType":"Patient"}"""),
            Post("Observation", """{"resourceType":"Observation","status":"final","code":{"text":"y"},"subject":{"reference":"Patient?identifier=urn:test|nobody"}}""")));
        Assert.Equal(412, answer.Status);
        Assert.StartsWith("Bundle.entry[1]", (string?)answer.Issues[0]["expression"]![0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_DeletesFirstAndReadsLast()
    {
        var doomed = (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Id;
        var id = Guid.NewGuid().ToString();
        var answer = await _client.PostAsync("", Bundle("transaction",
            Request("GET", $"Patient/{id}"),
            Put($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","active":true}"""),
            Request("GET", $"Patient?_id={id}"),
            Request("DELETE", $"Patient/{doomed}")));

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(["200 OK", "201 Created", "200 OK", "204 No Content"], answer.Entries.Select(entry => (string?)entry["response"]!["status"]));
        Assert.Equal(id, (string?)answer.Entries[0]["resource"]!["id"]);
        Assert.Equal(1, (int)answer.Entries[2]["resource"]!["entry"]!.AsArray().Count);
        Assert.Equal(410, (await _client.GetAsync($"Patient/{doomed}")).Status);
    }

    [Fact]
    public async Task Batch_EntriesStandAlone()
    {
        var id = Guid.NewGuid().ToString();
        var answer = await _client.PostAsync("", Bundle("batch",
            Put($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}"}"""),
            Post("Patient", """{"resourceType":"Patient","gender":"unclear"}"""),
            Request("GET", $"Patient/{id}"),
            Request("GET", "Patient/nobody"),
            Request("GET", "Nonsense/1"),
            Request("PATCH", "Patient/1"),
            Request("DELETE", $"Patient/{id}"),
            Request("GET", "Patient?_count=0")));

        Assert.Equal(200, answer.Status);
        Assert.Equal("batch-response", (string?)answer.Json["type"]);
        Assert.Equal(["201", "400", "200", "404", "404", "405", "204", "200"], answer.Entries.Select(entry => ((string?)entry["response"]!["status"])![..3]));
        Assert.Equal("Bundle.entry[1].resource.gender", (string?)answer.Entries[1]["response"]!["outcome"]!["issue"]![0]!["expression"]![0]);
        Assert.Equal("OperationOutcome", (string?)answer.Entries[3]["response"]!["outcome"]!["resourceType"]);
        Assert.Null(answer.Entries[3]["resource"]);
    }

    [Fact]
    public async Task Entries_PassTheSameAccessDecision()
    {
        var id = (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Id;
        var batch = await server.Reader.PostAsync("", Bundle("batch", Request("GET", $"Patient/{id}"), Request("DELETE", $"Patient/{id}"), Request("GET", "Observation?_count=1")));
        Assert.Equal(["200", "403", "403"], batch.Entries.Select(entry => ((string?)entry["response"]!["status"])![..3]));
        var transaction = await server.Reader.PostAsync("", Bundle("transaction", Request("DELETE", $"Patient/{id}")));
        Assert.Equal(403, transaction.Status);
        Assert.Equal(200, (await _client.GetAsync($"Patient/{id}")).Status);
    }

    [Fact]
    public async Task Transaction_OfAThousandEntries_IsOneCommit()
    {
        var tag = Guid.NewGuid().ToString("N");
        var entries = Enumerable.Range(0, 1000).Select(i => Post("Patient", $$"""{"resourceType":"Patient","identifier":[{"system":"urn:{{tag}}","value":"{{i}}"}]}""")).ToArray();
        var answer = await _client.PostAsync("", Bundle("transaction", entries));
        Assert.True(answer.Status == 200, answer.Text[..Math.Min(500, answer.Text.Length)]);
        Assert.Equal(1000, answer.Entries.Select(entry => (string?)entry["response"]!["location"]).Distinct().Count());
        Assert.Equal(1000, (int)(await _client.GetAsync($"Patient?identifier=urn:{tag}|&_summary=count")).Json["total"]!);
    }

    [Theory]
    [InlineData("""{"resourceType":"Patient"}""", "Bundle")]
    [InlineData("""{"resourceType":"Bundle","type":"collection"}""", "Bundle.type")]
    [InlineData("""{"resourceType":"Bundle","type":"batch","colour":1}""", "Bundle.colour")]
    [InlineData("""{"resourceType":"Bundle","type":"batch","entry":{}}""", "Bundle.entry")]
    [InlineData("""{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient"}}]}""", "Bundle.entry[0].request")]
    [InlineData("""{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"JUMP","url":"Patient"}}]}""", "Bundle.entry[0].request.method")]
    [InlineData("""{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Patient"}}]}""", "Bundle.entry[0].resource")]
    [InlineData("""{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"https://elsewhere.example/Patient/1"}}]}""", "Bundle.entry[0].request.url")]
    [InlineData("""{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Appointment/$book"},"resource":{"resourceType":"Appointment"}}]}""", "Bundle.entry[0].request.url")]
    public async Task MalformedBundles_AreRefusedByPlace(string body, string expression)
    {
        var answer = await _client.PostAsync("", body);
        Assert.Equal(400, answer.Status);
        Assert.Contains(answer.Issues, issue => (string?)issue["expression"]?[0] == expression);
    }

    [Fact]
    public async Task EmptyBundles_AreAnswered()
    {
        Assert.Equal(200, (await _client.PostAsync("", Bundle("batch"))).Status);
        Assert.Equal(200, (await _client.PostAsync("", Bundle("transaction"))).Status);
    }

    internal static string Identified(string value) => $$"""{"resourceType":"Patient","identifier":[{"system":"urn:test","value":"{{value}}"}]}""";

    internal static string Bundle(string type, params JsonObject[] entries)
    {
        var bundle = new JsonObject { ["resourceType"] = "Bundle", ["type"] = type };
        if (entries.Length > 0)
        {
            bundle["entry"] = new JsonArray([.. entries]);
        }
        return bundle.ToJsonString();
    }

    internal static JsonObject Post(string type, string resource, string? fullUrl = null)
    {
        var entry = new JsonObject { ["resource"] = JsonNode.Parse(resource), ["request"] = new JsonObject { ["method"] = "POST", ["url"] = type } };
        if (fullUrl is not null)
        {
            entry["fullUrl"] = fullUrl;
        }
        return entry;
    }

    internal static JsonObject Put(string url, string resource) =>
        new() { ["resource"] = JsonNode.Parse(resource), ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = url } };

    internal static JsonObject Request(string method, string url) => new() { ["request"] = new JsonObject { ["method"] = method, ["url"] = url } };
}
