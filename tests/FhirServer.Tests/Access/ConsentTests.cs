using System.Text.Json.Nodes;
using Authorization.Access;

namespace FhirServer.Tests.Access;

/// <summary>What patients and labels hide from staff, and the glass that a practitioner may break.</summary>
public sealed class ConsentTests(ServerFixture server) : IAsyncLifetime
{
    private AccessHouse _house = null!;
    private FhirClient _doctor = null!;

    public async ValueTask InitializeAsync()
    {
        _house = await AccessHouse.OpenAsync(server);
        _doctor = await _house.SignInAsync("user/*.cruds", $"Practitioner/{_house.Run}-dr", null, new HeldRole(Role.Practitioner, _house.OrganizationA));
    }

    public ValueTask DisposeAsync()
    {
        _doctor.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Denial_OfOneTypeToOnePractitioner_HidesThatAndNoMore_UntilItEnds()
    {
        var lab = $"Observation/{_house.Run}-lab-p1";
        Assert.Equal(200, (await _doctor.GetAsync(lab)).Status);
        var consent = Consent($$"""
            "provision":{"type":"deny","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}],
             "actor":[{"role":{"text":"recipient"},"reference":{"reference":"Practitioner/{{_house.Run}}-dr"} }]}
            """);
        using var patient = await _house.SignInAsync("patient/*.cruds", $"Patient/{_house.Own}", _house.Own, new HeldRole(Role.Patient));
        var created = await patient.PostAsync("Consent", consent);
        Assert.True(created.Status == 201, created.Text);

        Assert.Equal(404, (await _doctor.GetAsync(lab)).Status);
        Assert.Equal(404, (await _doctor.GetAsync(lab + "/_history/1")).Status);
        Assert.Empty((await _doctor.GetAsync($"Observation?subject=Patient/{_house.Own}")).Matches);
        Assert.Equal(3, (await _doctor.GetAsync($"Observation?subject=Patient/{_house.Other}")).Matches.Count);
        Assert.Equal(403, (await _doctor.PutAsync(lab, _house["lab-p1"].Body.ToJsonString())).Status);
        Assert.Equal(200, (await _doctor.GetAsync($"Patient/{_house.Own}")).Status);
        Assert.Equal(200, (await patient.GetAsync(lab)).Status);
        using var colleague = await _house.SignInAsync("user/*.rs", $"Practitioner/{_house.Run}-other", null, new HeldRole(Role.Practitioner));
        Assert.Equal(200, (await colleague.GetAsync(lab)).Status);

        var seen = await _doctor.GetAsync(lab, ("X-Break-Glass", "unconscious in the emergency room"));
        Assert.Equal(200, seen.Status);

        var ended = JsonNode.Parse(consent)!.AsObject();
        ended["id"] = created.Id;
        ended["status"] = "inactive";
        Assert.Equal(200, (await patient.PutAsync($"Consent/{created.Id}", ended.ToJsonString())).Status);
        Assert.Equal(200, (await _doctor.GetAsync(lab)).Status);
    }

    [Fact]
    public async Task Denial_ToAnOrganization_HidesThePatientFromItsStaff()
    {
        Assert.Equal(201, (await _house.Admin.PostAsync("Consent", Consent($$"""
            "provision":{"type":"deny","actor":[{"role":{"text":"recipient"},"reference":{"reference":"Organization/{{_house.OrganizationA}}"} }]}
            """))).Status);

        Assert.Equal(404, (await _doctor.GetAsync($"Patient/{_house.Own}")).Status);
        Assert.Equal(404, (await _doctor.GetAsync(_house["appt-p1"].Key)).Status);
        Assert.Equal(200, (await _doctor.GetAsync($"Organization/{_house.OrganizationA}")).Status);
        using var app = _house.Client("system/*.rs");
        Assert.Equal(200, (await app.GetAsync($"Patient/{_house.Own}")).Status); // a client of its own is what the operator has registered it for
    }

    [Fact]
    public async Task BreakGlass_OpensLabels_ForPractitionersWithAReason()
    {
        var restricted = $"Observation/{_house.Run}-lab-v-p1";
        Assert.Equal(404, (await _doctor.GetAsync(restricted)).Status);
        Assert.Equal(200, (await _doctor.GetAsync(restricted, ("X-Break-Glass", "emergency"))).Status);
        Assert.Equal(400, (await _doctor.GetAsync(restricted, ("X-Break-Glass", "-"))).Status);
        Assert.Equal(404, (await _doctor.GetAsync(restricted)).Status);
        Assert.Equal(404, (await _doctor.GetAsync($"Patient/{_house.Other}", ("X-Break-Glass", "emergency"))).Status); // organization is no glass

        using var receptionist = await _house.SignInAsync("user/*.rs", null, null, new HeldRole(Role.Receptionist));
        Assert.Equal(403, (await receptionist.GetAsync($"Patient/{_house.Own}", ("X-Break-Glass", "emergency"))).Status);
        Assert.Equal(403, (await _house.Admin.GetAsync($"Patient/{_house.Own}", ("X-Break-Glass", "emergency"))).Status);
    }

    [Fact]
    public async Task BreakGlass_OfABatch_HoldsForItsEntries()
    {
        var batch = $$"""{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Observation/{{_house.Run}}-lab-v-p1"} }]}""";

        Assert.StartsWith("404", (string?)(await _doctor.PostAsync("", batch)).Entries[0]["response"]!["status"], StringComparison.Ordinal);
        Assert.StartsWith("200", (string?)(await _doctor.PostAsync("", batch, ("X-Break-Glass", "emergency"))).Entries[0]["response"]!["status"], StringComparison.Ordinal);
    }

    private string Consent(string provision) => $$"""
        {"resourceType":"Consent","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
         "category":[{"text":"privacy"}],"patient":{"reference":"Patient/{{_house.Own}}"},"policyRule":{"text":"opt out"},{{provision}} }
        """;
}
