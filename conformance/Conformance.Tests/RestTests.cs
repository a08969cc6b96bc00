using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests;

/// <summary>https://hl7.org/fhir/R4/http.html</summary>
public sealed class RestTests(ServerUnderTest server)
{
    /// <summary>https://hl7.org/fhir/R4/http.html#create</summary>
    [Fact]
    public async Task Create_GivesIdVersionAndLocation_AndReadsBackAsSent()
    {
        var created = (await server.PostAsync("Patient", Patient("Ångström"))).Is(HttpStatusCode.Created);

        Assert.Equal("W/\"1\"", created.ETag);
        Assert.EndsWith($"/Patient/{created.Id}/_history/1", created.Headers.Location!.ToString(), StringComparison.Ordinal);
        Assert.NotNull(created.ContentHeaders.LastModified);
        var read = (await server.GetAsync($"Patient/{created.Id}")).Is(HttpStatusCode.OK);
        Assert.StartsWith("application/fhir+json", read.ContentHeaders.ContentType!.ToString(), StringComparison.Ordinal);
        Assert.Equal(created.Text, read.Text);
        Assert.Equal("Ångström", (string?)read.Body!["name"]![0]!["family"]);
        Assert.Equal("1", (string?)read.Body["meta"]!["versionId"]);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#update and #vread</summary>
    [Fact]
    public async Task Update_MakesAVersion_TheOldOneStaysReadable()
    {
        var created = (await server.PostAsync("Patient", Patient("Before"))).Is(HttpStatusCode.Created);
        var updated = (await server.PutAsync($"Patient/{created.Id}", Patient("After", created.Id))).Is(HttpStatusCode.OK);

        Assert.Equal("W/\"2\"", updated.ETag);
        Assert.Equal("Before", (string?)(await server.GetAsync($"Patient/{created.Id}/_history/1")).Is(HttpStatusCode.OK).Body!["name"]![0]!["family"]);
        Assert.Equal("After", (string?)(await server.GetAsync($"Patient/{created.Id}")).Is(HttpStatusCode.OK).Body!["name"]![0]!["family"]);
        (await server.GetAsync($"Patient/{created.Id}/_history/3")).Refused(HttpStatusCode.NotFound);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#upsert</summary>
    [Fact]
    public async Task Update_OfANewId_Creates()
    {
        var id = NewId();

        (await server.PutAsync($"Patient/{id}", Patient("Upsert", id))).Is(HttpStatusCode.Created);
        (await server.GetAsync($"Patient/{id}")).Is(HttpStatusCode.OK);
        (await server.PutAsync($"Patient/{id}", Patient("Upsert", "another"))).Refused(HttpStatusCode.BadRequest);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#delete and #history</summary>
    [Fact]
    public async Task Delete_LeavesAGoneResourceAndItsHistory()
    {
        var created = (await server.PostAsync("Patient", Patient("Leaving"))).Is(HttpStatusCode.Created);
        var deleted = await server.DeleteAsync($"Patient/{created.Id}");

        Assert.Contains(deleted.Status, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.NoContent]);
        (await server.GetAsync($"Patient/{created.Id}")).Refused(HttpStatusCode.Gone);
        (await server.GetAsync($"Patient/{created.Id}/_history/1")).Is(HttpStatusCode.OK);
        var history = (await server.GetAsync($"Patient/{created.Id}/_history")).Is(HttpStatusCode.OK);
        Assert.Equal("history", (string?)history.Body!["type"]);
        Assert.Equal(["DELETE", "POST"], history.Body["entry"]!.AsArray().Select(entry => (string?)entry!["request"]!["method"]));
        var again = await server.DeleteAsync($"Patient/{created.Id}");
        Assert.Contains(again.Status, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.NoContent]);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#concurrency</summary>
    [Fact]
    public async Task IfMatch_OfAStaleVersion_IsRefusedAndChangesNothing()
    {
        var created = (await server.PostAsync("Patient", Patient("One"))).Is(HttpStatusCode.Created);
        (await server.PutAsync($"Patient/{created.Id}", Patient("Two", created.Id), ("If-Match", "W/\"1\""))).Is(HttpStatusCode.OK);

        (await server.PutAsync($"Patient/{created.Id}", Patient("Three", created.Id), ("If-Match", "W/\"1\""))).Refused(HttpStatusCode.PreconditionFailed);
        (await server.DeleteAsync($"Patient/{created.Id}", ("If-Match", "W/\"1\""))).Refused(HttpStatusCode.PreconditionFailed);
        Assert.Equal("Two", (string?)(await server.GetAsync($"Patient/{created.Id}")).Body!["name"]![0]!["family"]);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#cread</summary>
    [Fact]
    public async Task IfNoneMatch_OfTheCurrentVersion_IsNotModified()
    {
        var created = (await server.PostAsync("Patient", Patient("Cached"))).Is(HttpStatusCode.Created);
        var answer = (await server.GetAsync($"Patient/{created.Id}", ("If-None-Match", created.ETag!))).Is(HttpStatusCode.NotModified);

        Assert.Empty(answer.Text);
        (await server.GetAsync($"Patient/{created.Id}", ("If-None-Match", "W/\"7\""))).Is(HttpStatusCode.OK);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#ops: Prefer: return</summary>
    [Fact]
    public async Task PreferReturn_DecidesTheBody()
    {
        var minimal = (await server.PostAsync("Patient", Patient("Quiet"), ("Prefer", "return=minimal"))).Is(HttpStatusCode.Created);
        var outcome = (await server.PostAsync("Patient", Patient("Told"), ("Prefer", "return=OperationOutcome"))).Is(HttpStatusCode.Created);

        Assert.Empty(minimal.Text);
        Assert.NotNull(minimal.Headers.Location);
        Assert.Equal("OperationOutcome", outcome.ResourceType);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#ccreate</summary>
    [Fact]
    public async Task ConditionalCreate_OfWhatIsThere_CreatesNothing()
    {
        var identifier = NewId();
        var first = (await server.PostAsync("Patient", Patient("Once", identifier: identifier), ("If-None-Exist", $"identifier=urn:conformance|{identifier}"))).Is(HttpStatusCode.Created);
        var second = (await server.PostAsync("Patient", Patient("Twice", identifier: identifier), ("If-None-Exist", $"identifier=urn:conformance|{identifier}"))).Is(HttpStatusCode.OK);

        Assert.Equal(first.Id, second.Id);
        Assert.Equal(first.Id, Assert.Single((await server.GetAsync($"Patient?identifier=urn:conformance|{identifier}")).Ids()));
        (await server.PostAsync("Patient", Patient("Thrice", identifier: identifier))).Is(HttpStatusCode.Created);
        (await server.PostAsync("Patient", Patient("More", identifier: identifier), ("If-None-Exist", $"identifier=urn:conformance|{identifier}"))).Refused(HttpStatusCode.PreconditionFailed);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#cond-update and #3.1.0.7.1</summary>
    [Fact]
    public async Task ConditionalUpdateAndDelete_ActOnTheOneMatch()
    {
        var identifier = NewId();
        var created = (await server.PutAsync($"Patient?identifier=urn:conformance|{identifier}", Patient("New", identifier: identifier))).Is(HttpStatusCode.Created);
        var updated = (await server.PutAsync($"Patient?identifier=urn:conformance|{identifier}", Patient("Newer", identifier: identifier))).Is(HttpStatusCode.OK);

        Assert.Equal(created.Id, updated.Id);
        Assert.True((await server.DeleteAsync($"Patient?identifier=urn:conformance|{identifier}")).Status is HttpStatusCode.OK or HttpStatusCode.NoContent);
        (await server.GetAsync($"Patient/{created.Id}")).Refused(HttpStatusCode.Gone);
    }

    [Theory]
    [InlineData("Nonsense/1", HttpStatusCode.NotFound)]
    [InlineData("Patient/not-there-at-all", HttpStatusCode.NotFound)]
    [InlineData("Patient/has_underscore", HttpStatusCode.NotFound)]
    [InlineData("Patient/x/_history/abc", HttpStatusCode.NotFound)]
    public async Task Read_OfWhatIsNotThere_IsNotFound(string path, HttpStatusCode expected)
    {
        var answer = await server.GetAsync(path);

        Assert.True(answer.Status == expected || answer.Status == HttpStatusCode.BadRequest, $"{path}: {answer.Status}");
        answer.Refused(answer.Status);
    }

    public static JsonObject Patient(string family, string? id = null, string? identifier = null)
    {
        var patient = new JsonObject { ["resourceType"] = "Patient" };
        if (id is not null)
        {
            patient["id"] = id;
        }
        if (identifier is not null)
        {
            patient["identifier"] = new JsonArray(new JsonObject { ["system"] = "urn:conformance", ["value"] = identifier });
        }
        patient["name"] = new JsonArray(new JsonObject { ["family"] = family });
        return patient;
    }

    public static string NewId() => Guid.NewGuid().ToString("D");
}
