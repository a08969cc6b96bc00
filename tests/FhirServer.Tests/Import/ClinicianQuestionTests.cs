using System.Text.Json.Nodes;

namespace FhirServer.Tests.Import;

/// <summary>What a clinician asks of the imported histories. The expected answers were read off the files, not off this server.</summary>
public sealed class ClinicianQuestionTests(SyntheaImport import) : IClassFixture<SyntheaImport>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Import_OfAllFiles_RefusesNothing()
    {
        SharedData.RequireSynthea();

        Assert.True(import.ExitCode == 0, import.Output);
        Assert.Contains("653 resources imported, 0 errors", import.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Patient?name=agustin", "Fonseca")] // typed without the accent
    [InlineData("Patient?family=MEJIA&birthdate=1986", "Mejía")]
    [InlineData("Patient?family:exact=Mejía", "Mejía")]
    [InlineData("Patient?name=rowe", "Conn")] // her maiden name
    [InlineData("Patient?gender=female&birthdate=lt1990-01-01", "Conn")]
    [InlineData("Patient?given=Clemente&birthdate=1984-07-02", "Kreiger")]
    public async Task APatient_ByWhatIsKnown(string query, string family)
    {
        var patient = Assert.Single(await import.SearchAsync(query, Ct));

        Assert.Equal(family, (string?)patient["name"]![0]!["family"]);
    }

    [Fact]
    public async Task ConditionsOfAPatient_ActiveOnesAndAll()
    {
        var patient = await IdOfAsync("Atencio");

        Assert.Equal(
            ["Epilepsy", "History of single seizure (situation)", "Seizure disorder"],
            TextsOf(await import.SearchAsync($"Condition?patient={patient}&clinical-status=active", Ct), "code"));
        Assert.Empty(await import.SearchAsync($"Condition?patient={patient}&clinical-status=resolved", Ct));
        Assert.Equal(2, (await import.SearchAsync("Condition?subject:Patient.family=hoeger&code=http://snomed.info/sct|444814009", Ct)).Count);
    }

    [Fact]
    public async Task WhoHasACondition()
    {
        Assert.Equal("Kreiger", (string?)Assert.Single(await import.SearchAsync("Patient?_has:Condition:patient:code=162864005", Ct))["name"]![0]!["family"]);
        Assert.Equal("Conn", (string?)Assert.Single(await import.SearchAsync("Patient?_has:Condition:patient:code=38341003", Ct))["name"]![0]!["family"]);
    }

    [Fact]
    public async Task Observations_ByCodeAndDate()
    {
        var patient = await IdOfAsync("Fonseca");

        Assert.Equal(5, (await import.SearchAsync($"Observation?patient={patient}&code=http://loinc.org|8302-2", Ct)).Count);
        Assert.Equal(2, (await import.SearchAsync($"Observation?patient={patient}&code=http://loinc.org|8302-2&date=ge2013-12-25", Ct)).Count);
        Assert.Equal(
            ["2013-12-24T22:28:27+00:00"],
            (await import.SearchAsync($"Observation?patient={patient}&code=8302-2&date=2013", Ct)).Select(o => (string?)o["effectiveDateTime"]));
    }

    [Fact]
    public async Task Observations_ByValue()
    {
        var heavy = await import.SearchAsync("Observation?code=39156-5&value-quantity=gt28.5|http://unitsofmeasure.org|kg/m2", Ct);

        Assert.Equal([28.67m, 28.91m, 30.47m], heavy.Select(o => Math.Round((decimal)o["valueQuantity"]!["value"]!, 2)).Order());
    }

    [Fact]
    public async Task Encounters_ByPeriod()
    {
        var patient = await IdOfAsync("Conn");

        Assert.Equal(3, (await import.SearchAsync($"Encounter?patient={patient}&date=2012", Ct)).Count);
        Assert.Equal(2, (await import.SearchAsync($"Encounter?patient={patient}&date=ge2012-09-01&date=lt2012-10-01", Ct)).Count);
        Assert.Equal(2, (await import.SearchAsync($"Encounter?patient={patient}&date=gt2013-01-01", Ct)).Count);
    }

    [Fact]
    public async Task Medications_StillTaken()
    {
        Assert.Equal(
            ["Carbamazepine[Tegretol]", "Clonazepam [Klonopin]", "Hydrochlorothiazide 25 MG"],
            TextsOf(await import.SearchAsync("MedicationRequest?status=active", Ct), "medicationCodeableConcept"));
    }

    [Fact]
    public async Task ReferencesBetweenBundleEntries_LeadToTheResources()
    {
        var encounter = (await import.SearchAsync($"Encounter?patient={await IdOfAsync("Mejía")}&date=2020", Ct)).Single();
        var observations = await import.SearchAsync($"Observation?encounter=Encounter/{encounter["id"]}", Ct);

        Assert.NotEmpty(observations);
        Assert.All(observations, observation => Assert.Equal((string?)encounter["subject"]!["reference"], (string?)observation["subject"]!["reference"]));
        Assert.DoesNotContain("urn:uuid", encounter.ToJsonString(), StringComparison.Ordinal);
    }

    private async Task<string> IdOfAsync(string family) => (string)Assert.Single(await import.SearchAsync($"Patient?family:exact={family}", Ct))["id"]!;

    private static IEnumerable<string?> TextsOf(IEnumerable<JsonObject> resources, string element) =>
        resources.Select(resource => (string?)resource[element]!["text"]).Order(StringComparer.Ordinal);
}
