using System.Text.Json.Nodes;
using Authorization.Access;
using FhirServer.Tests.Access;

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

    [Fact]
    public async Task ABooking_TellsWhoMadeIt_ToThoseWhoSeeProvenance()
    {
        var house = await AccessHouse.OpenAsync(server);
        using var patient = await house.SignInAsync("patient/*.cruds", $"Patient/{house.Own}", house.Own, new HeldRole(Role.Patient));
        using var other = await house.SignInAsync("patient/*.cruds", $"Patient/{house.Other}", house.Other, new HeldRole(Role.Patient));
        using var doctor = await house.SignInAsync("user/*.cruds", $"Practitioner/{house.Run}-dr", null, new HeldRole(Role.Practitioner));
        using var desk = await house.SignInAsync("user/*.cruds", null, null, new HeldRole(Role.Receptionist));
        var booked = await patient.PostAsync("Appointment/$book", $$"""
            {"resourceType":"Appointment","status":"proposed","slot":[{"reference":"Slot/{{house.Run}}-slot"}],"start":"2040-01-02T09:00:00Z","end":"2040-01-02T09:30:00Z",
             "participant":[{"actor":{"reference":"Patient/{{house.Own}}"},"status":"accepted"}]}
            """);
        Assert.True(booked.Status == 201, booked.Text);

        var provenance = Assert.Single(await doctor.SearchAllAsync($"Provenance?target=Appointment/{booked.Id}"));
        Assert.Equal($"Appointment/{booked.Id}/_history/1", (string?)Assert.Single(provenance["target"]!.AsArray())!["reference"]);
        Assert.Equal($"Patient/{house.Own}", (string?)provenance["agent"]![0]!["who"]!["reference"]);
        Assert.Equal(ServerFixture.ClientId, (string?)provenance["agent"]![1]!["who"]!["identifier"]!["value"]);
        Assert.Equal(("CREATE", "$book"), ((string?)provenance["activity"]!["coding"]![0]!["code"], (string?)provenance["activity"]!["text"]));
        Assert.Equal(2, (await doctor.GetAsync($"Appointment?_id={booked.Id}&_revinclude=Provenance:target")).Entries.Count);
        Assert.Equal(200, (await server.Client.PutAsync($"Provenance/{provenance["id"]}", provenance.ToJsonString())).Status); // valid as it stands

        // It lies in no patient's compartment: it tells of people other than the patient, too.
        foreach (var client in new[] { patient, other })
        {
            Assert.Empty((await client.GetAsync($"Provenance?target=Appointment/{booked.Id}")).Entries);
            Assert.Equal(404, (await client.GetAsync($"Provenance/{provenance["id"]}")).Status);
        }
        Assert.Equal(403, (await desk.GetAsync($"Provenance?target=Appointment/{booked.Id}")).Status);
    }

    private async Task<List<string>> TargetsAsync(string patient) =>
        [.. (await _client.SearchAllAsync($"Provenance?target=Patient/{patient}")).SelectMany(provenance => provenance["target"]!.AsArray()).Select(target => (string)target!["reference"]!)];
}
