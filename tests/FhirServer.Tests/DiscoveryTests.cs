namespace FhirServer.Tests;

/// <summary>What is public, and that nothing else is.</summary>
public sealed class DiscoveryTests(ServerFixture server)
{
    private readonly FhirClient _anonymous = server.Anonymous;

    [Fact]
    public async Task Metadata_IsPublicAndTellsWhatIsThere()
    {
        var answer = await _anonymous.GetAsync("metadata", ("Origin", "https://app.example"));
        Assert.Equal(200, answer.Status);
        Assert.Equal("*", answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("CapabilityStatement", (string?)answer.Json["resourceType"]);
        Assert.Equal("4.0.1", (string?)answer.Json["fhirVersion"]);
        var resources = answer.Json["rest"]![0]!["resource"]!.AsArray();
        Assert.Equal(resources.Count, resources.Select(resource => (string)resource!["type"]!).Distinct().Count());
        var patient = resources.Single(resource => (string?)resource!["type"] == "Patient")!;
        Assert.Contains("read", patient["interaction"]!.AsArray().Select(interaction => (string?)interaction!["code"]));
        Assert.DoesNotContain("patch", patient["interaction"]!.AsArray().Select(interaction => (string?)interaction!["code"]));
        Assert.Contains("birthdate", patient["searchParam"]!.AsArray().Select(parameter => (string?)parameter!["name"]));
        var appointment = resources.Single(resource => (string?)resource!["type"] == "Appointment")!;
        Assert.Contains("book", appointment["operation"]!.AsArray().Select(operation => (string?)operation!["name"]));
    }

    [Fact]
    public async Task Metadata_IsValidByTheServersOwnRules()
    {
        var statement = await _anonymous.GetAsync("metadata");
        var stored = await server.Client.SendAsync("POST", "CapabilityStatement", statement.Bytes);
        Assert.True(stored.Status == 201, stored.Text[..Math.Min(1000, stored.Text.Length)]);
    }

    [Fact]
    public async Task SmartConfiguration_IsJsonWhateverTheAcceptHeader()
    {
        var answer = await _anonymous.GetAsync(".well-known/smart-configuration", ("Accept", "text/html"), ("Origin", "https://app.example"));
        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("*", answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.StartsWith(server.Origin, (string?)answer.Json["token_endpoint"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "Patient")]
    [InlineData("GET", "Patient/1")]
    [InlineData("GET", "Nonsense")]
    [InlineData("POST", "")]
    [InlineData("GET", "_history")]
    [InlineData("POST", "Appointment/$book")]
    public async Task Everything_Else_NeedsAToken(string method, string path)
    {
        var answer = await _anonymous.SendAsync(method, path, null);
        Assert.Equal(401, answer.Status);
        Assert.Equal("Bearer", answer.Response.Headers.WwwAuthenticate.Single().Scheme);
        Assert.Equal("login", (string?)answer.Issues[0]["code"]);
    }

    [Fact]
    public async Task GarbageToken_Is401()
    {
        var answer = await _anonymous.GetAsync("Patient", ("Authorization", "Bearer garbage"));
        Assert.Equal(401, answer.Status);
        Assert.Contains("invalid_token", answer.Response.Headers.WwwAuthenticate.Single().Parameter, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TokenWithoutTheScope_Is403()
    {
        Assert.Equal(403, (await server.Reader.PostAsync("Patient", """{"resourceType":"Patient"}""")).Status);
        Assert.Equal(403, (await server.Reader.GetAsync("Observation/1")).Status);
        Assert.Equal(403, (await server.Reader.PostAsync("Appointment/$book", """{"resourceType":"Appointment"}""")).Status);
        Assert.Equal(404, (await server.Reader.GetAsync("Patient/nobody")).Status);
    }

    [Fact]
    public async Task HealthAndMetrics_AreOpenAndHoldNoIds()
    {
        var id = (await server.Client.PostAsync("Patient", """{"resourceType":"Patient","name":[{"family":"Metricsplanted"}]}""")).Id!;
        await server.Client.GetAsync($"Patient/{id}");
        await server.Client.GetAsync("Patient?name=Metricsplanted");
        Assert.Equal(200, (await _anonymous.GetAsync($"{server.Origin}/health/live")).Status);
        Assert.Equal(200, (await _anonymous.GetAsync($"{server.Origin}/health/ready")).Status);
        var metrics = await _anonymous.GetAsync($"{server.Origin}/metrics");
        Assert.Equal(200, metrics.Status);
        Assert.Contains("fhir_request_duration_seconds_count{interaction=\"create\",status=\"2xx\"}", metrics.Text, StringComparison.Ordinal);
        Assert.Contains("fhir_store_commits_total{result=\"done\"}", metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(id, metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Metricsplanted", metrics.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnknownAddress_IsAnOutcomeToo()
    {
        var answer = await _anonymous.GetAsync($"{server.Origin}/elsewhere");
        Assert.Equal(404, answer.Status);
        Assert.Equal("OperationOutcome", (string?)answer.Json["resourceType"]);
    }
}
