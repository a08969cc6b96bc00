using System.Text.Json.Nodes;

namespace FhirServer.Tests;

/// <summary>https://hl7.org/fhir/R4/provenance.html#header: stored with what it tells of, and pointing at the version.</summary>
public sealed class ProvenanceTests(ServerFixture server)
{
    private const string Given = """{"resourceType":"Provenance","recorded":"2026-01-01T00:00:00Z","agent":[{"who":{"display":"a nurse"}}]}""";
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task CreateAndUpdate_EachHaveOneThatPointsAtTheirVersion()
    {
        var id = (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""", ("X-Provenance", Given))).Id!;
        var updated = await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","gender":"male"}""", ("X-Provenance", Given));
        Assert.Equal(200, updated.Status);
        Assert.Equal([$"Patient/{id}/_history/1", $"Patient/{id}/_history/2"], (await TargetsAsync(id)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("urn:", updated.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_HasOneForAllThatItWrites()
    {
        var id = Guid.NewGuid().ToString();
        var gone = (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Id!;
        var transaction = $$$"""{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","id":"{{{id}}}"},"request":{"method":"PUT","url":"Patient/{{{id}}}"}},{"fullUrl":"urn:uuid:7d2b9c38-2c3c-4d3f-9a55-0c1b00000001","resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{{id}}}"}},"request":{"method":"POST","url":"Observation"}},{"request":{"method":"DELETE","url":"Patient/{{{gone}}}"}}]}""";
        var done = await _client.PostAsync("", transaction, ("X-Provenance", Given));
        Assert.Equal(200, done.Status);
        Assert.Equal(3, done.Entries.Count);
        var targets = await TargetsAsync(id);
        Assert.Equal(2, targets.Count);
        Assert.Contains($"Patient/{id}/_history/1", targets);
        Assert.Contains(targets, target => target.StartsWith("Observation/", StringComparison.Ordinal) && target.EndsWith("/_history/1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{", "Provenance", "structure")]
    [InlineData("[]", "Provenance", "structure")]
    [InlineData("""{"resourceType":"Provenance","recorded":"2026-01-01T00:00:00Z","recorded":"2026-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]}""", "Provenance", "structure")]
    [InlineData("""{"resourceType":"Provenance","target":[{"reference":"Patient/1"}],"recorded":"2026-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]}""", "Provenance.target", "value")]
    [InlineData("""{"resourceType":"Provenance","recorded":"yesterday","agent":[{"who":{"display":"x"}}]}""", "Provenance.recorded", "value")]
    [InlineData("""{"resourceType":"Provenance","recorded":"2026-01-01T00:00:00Z"}""", "Provenance.agent", "required")]
    public async Task WrongOne_IsRefused_AndNothingIsWritten(string header, string expression, string code)
    {
        var id = Guid.NewGuid().ToString();
        var answer = await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}"}""", ("X-Provenance", header));
        Assert.Equal(400, answer.Status);
        Assert.Contains(answer.Issues, issue => (string?)issue["expression"]?[0] == expression && (string?)issue["code"] == code);
        Assert.Equal(404, (await _client.GetAsync($"Patient/{id}")).Status);
    }

    [Fact]
    public async Task WhereItHasNoMeaning_ItIsRefused()
    {
        Assert.Equal(400, (await _client.GetAsync("Patient/x", ("X-Provenance", Given))).Status);
        Assert.Equal(400, (await _client.DeleteAsync("Patient/x", ("X-Provenance", Given))).Status);
        Assert.Equal(400, (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""", ("X-Provenance", Given), ("If-None-Exist", "identifier=urn:x|1"))).Status);
        Assert.Equal(400, (await _client.PostAsync("", """{"resourceType":"Bundle","type":"batch","entry":[]}""", ("X-Provenance", Given))).Status);
        Assert.Equal(403, (await server.Reader.PostAsync("Patient", """{"resourceType":"Patient"}""", ("X-Provenance", Given))).Status);
    }

    private async Task<List<string>> TargetsAsync(string patient) =>
        [.. (await _client.SearchAllAsync($"Provenance?target=Patient/{patient}")).SelectMany(provenance => provenance["target"]!.AsArray()).Select(target => (string)target!["reference"]!)];
}
