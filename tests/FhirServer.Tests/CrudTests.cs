using System.Text.Json.Nodes;

namespace FhirServer.Tests;

/// <summary>https://hl7.org/fhir/R4/http.html: read, vread, create, update, delete and their headers.</summary>
public sealed class CrudTests(ServerFixture server)
{
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task Create_ThenRead_GivesTheSameBytesWithIdAndMeta()
    {
        var created = await _client.PostAsync("Patient", """{"resourceType":"Patient","id":"not-mine","birthDate":"1980-05-05","name":[{"family":"Muster"}]}""");

        Assert.Equal(201, created.Status);
        Assert.NotEqual("not-mine", created.Id);
        Assert.Equal($"{server.Base}/Patient/{created.Id}/_history/1", created.Location);
        Assert.Equal("W/\"1\"", created.ETag);
        Assert.NotNull(created.Response.Content.Headers.LastModified);
        Assert.Equal("1", (string?)created.Json["meta"]!["versionId"]);
        var read = await _client.GetAsync($"Patient/{created.Id}");
        Assert.Equal(200, read.Status);
        Assert.Equal(created.Bytes, read.Bytes);
        Assert.Equal("W/\"1\"", read.ETag);
        Assert.Equal("application/fhir+json", read.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-store", read.Response.Headers.CacheControl?.ToString());
        Assert.Equal("nosniff", read.Response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Update_CountsVersionsAndKeepsOldOnes()
    {
        var id = Guid.NewGuid().ToString();
        Assert.Equal(201, (await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","gender":"male"}""")).Status);
        var updated = await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","gender":"female"}""", ("If-Match", "W/\"1\""));

        Assert.Equal(200, updated.Status);
        Assert.Equal("W/\"2\"", updated.ETag);
        Assert.Equal("female", (string?)(await _client.GetAsync($"Patient/{id}")).Json["gender"]);
        var first = await _client.GetAsync($"Patient/{id}/_history/1");
        Assert.Equal("male", (string?)first.Json["gender"]);
        Assert.Equal("W/\"1\"", first.ETag);
        Assert.Equal(404, (await _client.GetAsync($"Patient/{id}/_history/3")).Status);
    }

    [Fact]
    public async Task Update_WithStaleIfMatch_IsRefusedAndChangesNothing()
    {
        var id = (await _client.PostAsync("Patient", """{"resourceType":"Patient","gender":"male"}""")).Id;
        Assert.Equal(200, (await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","gender":"other"}""")).Status);
        var stale = await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","gender":"female"}""", ("If-Match", "W/\"1\""));

        Assert.Equal(412, stale.Status);
        Assert.Equal("conflict", (string?)stale.Issues[0]["code"]);
        Assert.Equal("other", (string?)(await _client.GetAsync($"Patient/{id}")).Json["gender"]);
        Assert.Equal(412, (await _client.DeleteAsync($"Patient/{id}", ("If-Match", "W/\"1\""))).Status);
    }

    [Fact]
    public async Task Delete_LeavesATombstoneThatAnUpdateBringsBack()
    {
        var id = (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Id;
        Assert.Equal(204, (await _client.DeleteAsync($"Patient/{id}")).Status);
        var gone = await _client.GetAsync($"Patient/{id}");
        Assert.Equal(410, gone.Status);
        Assert.Equal("deleted", (string?)gone.Issues[0]["code"]);
        Assert.Equal("W/\"2\"", gone.ETag);
        Assert.Equal(410, (await _client.GetAsync($"Patient/{id}/_history/2")).Status);
        Assert.Equal(200, (await _client.GetAsync($"Patient/{id}/_history/1")).Status);
        Assert.Equal(204, (await _client.DeleteAsync($"Patient/{id}")).Status);
        var back = await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}"}""");
        Assert.Equal(201, back.Status);
        Assert.Equal("W/\"3\"", back.ETag);
    }

    [Fact]
    public async Task Read_OfWhatTheClientKnows_Is304()
    {
        var created = await _client.PostAsync("Patient", """{"resourceType":"Patient"}""");
        var modified = created.Response.Content.Headers.LastModified!.Value;

        var same = await _client.GetAsync($"Patient/{created.Id}", ("If-None-Match", "W/\"1\""));
        Assert.Equal(304, same.Status);
        Assert.Empty(same.Bytes);
        Assert.Equal(200, (await _client.GetAsync($"Patient/{created.Id}", ("If-None-Match", "W/\"2\""))).Status);
        Assert.Equal(304, (await _client.GetAsync($"Patient/{created.Id}", ("If-Modified-Since", modified.AddSeconds(1).ToString("R")))).Status);
        Assert.Equal(200, (await _client.GetAsync($"Patient/{created.Id}", ("If-Modified-Since", modified.AddHours(-1).ToString("R")))).Status);
    }

    [Fact]
    public async Task Head_HasTheHeadersOfGetAndNoBody()
    {
        var id = (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Id;
        var read = await _client.GetAsync($"Patient/{id}");
        var head = await _client.SendAsync("HEAD", $"Patient/{id}", null);

        Assert.Equal(200, head.Status);
        Assert.Empty(head.Bytes);
        Assert.Equal(read.Bytes.Length, head.Response.Content.Headers.ContentLength);
        Assert.Equal(read.ETag, head.ETag);
    }

    [Theory]
    [InlineData("return=minimal", 0, null)]
    [InlineData("return=representation", 1, "Patient")]
    [InlineData("return=OperationOutcome", 1, "OperationOutcome")]
    public async Task Create_HonoursPreferReturn(string prefer, int bodies, string? type)
    {
        var created = await _client.PostAsync("Patient", """{"resourceType":"Patient"}""", ("Prefer", prefer));
        Assert.Equal(201, created.Status);
        Assert.NotNull(created.Location);
        Assert.Equal(bodies == 0, created.Bytes.Length == 0);
        if (type is not null)
        {
            Assert.Equal(type, (string?)created.Json["resourceType"]);
        }
    }

    [Fact]
    public async Task Pretty_IsTheSameResourceIndented()
    {
        var id = (await _client.PostAsync("Observation", """{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}""")).Id;
        var pretty = await _client.GetAsync($"Observation/{id}?_pretty=true");
        Assert.Contains("\n", pretty.Text, StringComparison.Ordinal);
        Assert.Contains("1.50", pretty.Text, StringComparison.Ordinal);
        Assert.True(JsonNode.DeepEquals(pretty.Json, (await _client.GetAsync($"Observation/{id}")).Json));
    }

    [Fact]
    public async Task Links_StayOnTheDialectTheRequestCameBy()
    {
        using var isik = new FhirClient(server.Base + "/isik", null);
        var created = await _client.PostAsync($"{server.Base}/isik/Patient", """{"resourceType":"Patient"}""");
        Assert.Equal($"{server.Base}/isik/Patient/{created.Id}/_history/1", created.Location);
        Assert.Equal(200, (await _client.GetAsync($"Patient/{created.Id}")).Status);
    }
}
