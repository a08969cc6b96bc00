using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests;

/// <summary>https://hl7.org/fhir/R4/http.html#transaction</summary>
public sealed class BundleTests(ServerUnderTest server)
{
    [Fact]
    public async Task Transaction_ReferencesBetweenEntries_PointAtWhatWasCreated()
    {
        var answer = (await server.PostAsync("", Bundle("transaction",
            Entry("POST", "Observation", Observation("urn:uuid:0b5b3c5e-6f0a-4a53-9d0c-0c3f5a1f7f10")),
            Entry("POST", "Patient", RestTests.Patient("Mother"), "urn:uuid:0b5b3c5e-6f0a-4a53-9d0c-0c3f5a1f7f10")))).Is(HttpStatusCode.OK);

        Assert.Equal("transaction-response", (string?)answer.Body!["type"]);
        var entries = answer.Body["entry"]!.AsArray();
        Assert.All(entries, entry => Assert.StartsWith("201", (string?)entry!["response"]!["status"], StringComparison.Ordinal));
        var observation = (await server.GetAsync(Located(entries[0]!))).Is(HttpStatusCode.OK);
        Assert.Equal(Located(entries[1]!), (string?)observation.Body!["subject"]!["reference"]);
    }

    [Fact]
    public async Task Transaction_WithOneBadEntry_WritesNothing()
    {
        var id = RestTests.NewId();
        var answer = await server.PostAsync("", Bundle("transaction",
            Entry("PUT", $"Patient/{id}", RestTests.Patient("Never", id)),
            Entry("POST", "Patient", new() { ["resourceType"] = "Patient", ["birthDate"] = "yesterday" })));

        answer.Refused(HttpStatusCode.BadRequest);
        Assert.Contains(answer.Body!["issue"]!.AsArray(), issue => ((string?)issue!["expression"]?[0])?.Contains("entry[1]", StringComparison.Ordinal) == true);
        (await server.GetAsync($"Patient/{id}")).Refused(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Transaction_WithTheSameResourceTwice_IsRefused()
    {
        var id = RestTests.NewId();

        (await server.PostAsync("", Bundle("transaction",
            Entry("PUT", $"Patient/{id}", RestTests.Patient("One", id)),
            Entry("PUT", $"Patient/{id}", RestTests.Patient("Two", id))))).Refused(HttpStatusCode.BadRequest);
        (await server.GetAsync($"Patient/{id}")).Refused(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Transaction_ConditionalCreateOfWhatIsThere_PointsReferencesAtIt()
    {
        var identifier = RestTests.NewId();
        var there = (await server.PostAsync("Patient", RestTests.Patient("There", identifier: identifier))).Is(HttpStatusCode.Created);
        var conditional = Entry("POST", "Patient", RestTests.Patient("There", identifier: identifier), "urn:uuid:6c0a2f1e-9a2d-4c63-8d5d-2c7b1a9e0f11");
        conditional["request"]!["ifNoneExist"] = $"identifier=urn:conformance|{identifier}";
        var answer = (await server.PostAsync("", Bundle("transaction", conditional, Entry("POST", "Observation", Observation("urn:uuid:6c0a2f1e-9a2d-4c63-8d5d-2c7b1a9e0f11"))))).Is(HttpStatusCode.OK);

        var entries = answer.Body!["entry"]!.AsArray();
        Assert.StartsWith("200", (string?)entries[0]!["response"]!["status"], StringComparison.Ordinal);
        Assert.Equal($"Patient/{there.Id}", (string?)(await server.GetAsync(Located(entries[1]!))).Body!["subject"]!["reference"]);
    }

    [Fact]
    public async Task Batch_EntriesStandEachForThemselves()
    {
        var id = RestTests.NewId();
        var answer = (await server.PostAsync("", Bundle("batch",
            Entry("POST", "Patient", new() { ["resourceType"] = "Patient", ["birthDate"] = "yesterday" }),
            Entry("PUT", $"Patient/{id}", RestTests.Patient("Kept", id)),
            Entry("GET", "Patient/not-there-at-all", null)))).Is(HttpStatusCode.OK);

        Assert.Equal("batch-response", (string?)answer.Body!["type"]);
        Assert.Equal(["400", "201", "404"], answer.Body["entry"]!.AsArray().Select(entry => ((string)entry!["response"]!["status"]!)[..3]));
        (await server.GetAsync($"Patient/{id}")).Is(HttpStatusCode.OK);
    }

    private static JsonObject Observation(string subject) => new()
    {
        ["resourceType"] = "Observation",
        ["status"] = "final",
        ["code"] = new JsonObject { ["text"] = "Kicks" },
        ["subject"] = new JsonObject { ["reference"] = subject },
    };

    private static JsonObject Bundle(string type, params JsonNode[] entries) => new() { ["resourceType"] = "Bundle", ["type"] = type, ["entry"] = new JsonArray(entries) };

    private static JsonObject Entry(string method, string url, JsonObject? resource, string? fullUrl = null)
    {
        var entry = new JsonObject();
        if (fullUrl is not null)
        {
            entry["fullUrl"] = fullUrl;
        }
        if (resource is not null)
        {
            entry["resource"] = resource;
        }
        entry["request"] = new JsonObject { ["method"] = method, ["url"] = url };
        return entry;
    }

    /// <returns><c>Type/id</c> of the Location in an entry's response.</returns>
    private static string Located(JsonNode entry)
    {
        var parts = ((string)entry["response"]!["location"]!).Split('/');
        var history = Array.IndexOf(parts, "_history");
        return $"{parts[history - 2]}/{parts[history - 1]}";
    }
}
