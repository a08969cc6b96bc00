namespace FhirStore.Tests.Search;

/// <summary>Examples of R4's search page: each parameter type, its forms and modifiers.</summary>
public sealed class SearchSemanticsTests
{
    private static readonly string[] People =
    [
        """{"resourceType":"Patient","id":"ana","active":true,"name":[{"family":"Müller","given":["Ána","Maria"]}],"gender":"female","birthDate":"1990-05-03","identifier":[{"system":"http://h.example/mrn","value":"1"},{"value":"bare"}],"telecom":[{"system":"phone","value":"555"},{"system":"email","value":"a@b.example"}],"generalPractitioner":[{"reference":"Practitioner/dr"}],"deceasedDateTime":"2020-01-01"}""",
        """{"resourceType":"Patient","id":"bo","active":false,"name":[{"family":"Muller","given":["Bo"]},{"text":"Bo \"Jean,Luc\" A|B"}],"gender":"male","birthDate":"1990-05","identifier":[{"system":"http://other.example","value":"1"}],"telecom":[{"system":"email","value":"555"}],"generalPractitioner":[{"reference":"https://clinic.example/fhir/Practitioner/dr/_history/4"}],"deceasedBoolean":false}""",
        """{"resourceType":"Patient","id":"cy","name":[{"family":"Smithson"}],"generalPractitioner":[{"reference":"https://elsewhere.example/fhir/Practitioner/dr"},{"type":"Organization","identifier":{"system":"http://h.example/org","value":"o9"}}],"address":[{"city":"Zürich","country":"CH"}]}""",
    ];

    [Theory]
    [InlineData("name=muller", "ana", "bo")]
    [InlineData("name=MÜLLER", "ana", "bo")]
    [InlineData("name=mül", "ana", "bo")]
    [InlineData("name=m", "ana", "bo")]
    [InlineData("name=uller")]
    [InlineData("name:contains=ULLE", "ana", "bo")]
    [InlineData("family:exact=Muller", "bo")]
    [InlineData("family:exact=Mull")]
    [InlineData("given=ana", "ana")]
    [InlineData("given=ana,bo", "ana", "bo")]
    [InlineData("given=ana&given=maria", "ana")]
    [InlineData("given=ana&given=bo")]
    [InlineData(@"name=bo ""jean\,luc\"" a\|b", "bo")]
    [InlineData("family=smith", "cy")]
    [InlineData("address=zur", "cy")]
    [InlineData("address-country=ch", "cy")]
    [InlineData("address-city=CH")]
    [InlineData("name:missing=true")]
    [InlineData("gender:missing=true", "cy")]
    [InlineData("phonetic=smith", "cy")]
    public Task String_(string query, params string[] ids) => CheckAsync(query, ids);

    [Theory]
    [InlineData("identifier=1", "ana", "bo")]
    [InlineData("identifier=http://h.example/mrn|1", "ana")]
    [InlineData("identifier=http://h.example/mrn|", "ana")]
    [InlineData("identifier=|bare", "ana")]
    [InlineData("identifier=|1")]
    [InlineData("identifier:not=http://h.example/mrn|1", "bo", "cy")]
    [InlineData("identifier=http://h.example/mrn|1,http://other.example|1", "ana", "bo")]
    [InlineData("gender=female", "ana")]
    [InlineData("gender:not=female", "bo", "cy")]
    [InlineData("gender=female,male", "ana", "bo")]
    [InlineData("gender=http://hl7.org/fhir/administrative-gender|female", "ana")]
    [InlineData("gender=http://hl7.org/fhir/administrative-gender|", "ana", "bo")]
    [InlineData("gender=|female", "ana")]
    [InlineData("gender=http://other.example|female")]
    [InlineData("gender:not=http://hl7.org/fhir/administrative-gender|female", "bo", "cy")]
    [InlineData("active=true", "ana")]
    [InlineData("active=|false", "bo")]
    [InlineData("phone=555", "ana")]
    [InlineData("email=555", "bo")]
    [InlineData("telecom=555", "ana", "bo")]
    [InlineData("deceased=true", "ana")]
    [InlineData("deceased=false", "bo", "cy")]
    [InlineData("_id=bo,cy,none", "bo", "cy")]
    [InlineData("_id:not=bo", "ana", "cy")]
    public Task Token(string query, params string[] ids) => CheckAsync(query, ids);

    [Theory]
    [InlineData("birthdate=1990-05-03", "ana")]
    [InlineData("birthdate=1990-05", "ana", "bo")]
    [InlineData("birthdate=1990", "ana", "bo")]
    [InlineData("birthdate=ne1990-05-03", "bo")]
    [InlineData("birthdate=gt1990-05-03", "bo")]
    [InlineData("birthdate=ge1990-05-03", "ana", "bo")]
    [InlineData("birthdate=sa1990-05-03")]
    [InlineData("birthdate=lt1990-05-02", "bo")]
    [InlineData("birthdate=eb1990-06", "ana", "bo")]
    [InlineData("birthdate=ge1990&birthdate=lt1990-05-03", "bo")]
    [InlineData("birthdate=1990-05-03T12:00:00Z")]
    [InlineData("_lastUpdated=ge2030", "ana", "bo", "cy")]
    [InlineData("_lastUpdated=lt2030-05-17T08:30:00.025Z", "ana", "bo")]
    [InlineData("death-date=2020", "ana")]
    public Task Date(string query, params string[] ids) => CheckAsync(query, ids);

    [Theory]
    [InlineData("general-practitioner=Practitioner/dr", "ana", "bo")]
    [InlineData("general-practitioner=dr", "ana", "bo")]
    [InlineData("general-practitioner:Practitioner=dr", "ana", "bo")]
    [InlineData("general-practitioner=https://clinic.example/fhir/Practitioner/dr", "ana", "bo")]
    [InlineData("general-practitioner=https://elsewhere.example/fhir/Practitioner/dr", "cy")]
    [InlineData("general-practitioner:identifier=http://h.example/org|o9", "cy")]
    [InlineData("general-practitioner:identifier=o9", "cy")]
    [InlineData("general-practitioner:missing=true")]
    [InlineData("general-practitioner:Organization=dr")]
    public Task Reference(string query, params string[] ids) => CheckAsync(query, ids);

    [Theory]
    [InlineData("probability=5.4", "a")]
    [InlineData("probability=5", "a", "c")]
    [InlineData("probability=gt5.4", "b", "c")]
    [InlineData("probability=ge5.4", "a", "b", "c")]
    [InlineData("probability=lt5.45", "a", "c")]
    [InlineData("probability=eb5.45", "a")]
    [InlineData("probability=ne5.4", "b", "c")]
    [InlineData("probability=1e2", "b")]
    [InlineData("probability=ap5.5", "a", "c")]
    [InlineData("probability=lt-1")]
    public async Task Number(string query, params string[] ids)
    {
        using var house = await SearchHouse.OpenAsync();
        await house.PutAsync(
            """{"resourceType":"RiskAssessment","id":"a","prediction":[{"probabilityDecimal":5.40}]}""",
            """{"resourceType":"RiskAssessment","id":"b","prediction":[{"probabilityDecimal":99.5}]}""",
            """{"resourceType":"RiskAssessment","id":"c","prediction":[{"probabilityRange":{"low":{"value":4.6},"high":{"value":5.45}}}]}""");
        Assert.Equal(ids, await house.IdsAsync("RiskAssessment?" + query));
    }

    [Theory]
    [InlineData("value-quantity=5.4", "mg", "tablets")]
    [InlineData("value-quantity=5.4|http://unitsofmeasure.org|mg", "mg")]
    [InlineData("value-quantity=5.4||mg", "mg")]
    [InlineData("value-quantity=5.4||tablets", "tablets")]
    [InlineData("value-quantity=gt5||kg")]
    [InlineData("code-value-quantity=http://loinc.example|w$gt5", "mg")]
    [InlineData("component-code-value-quantity=sys$lt100", "tablets")]
    [InlineData("component-code-value-quantity=sys$gt100")]
    [InlineData("combo-code=sys", "tablets")]
    [InlineData("code=sys")]
    [InlineData("code:text=weig", "mg")]
    [InlineData("identifier:of-type=http://t.example|MR|77", "mg")]
    [InlineData("identifier:of-type=http://t.example|XX|77")]
    public async Task QuantityCompositeAndTokenModifiers(string query, params string[] ids)
    {
        using var house = await SearchHouse.OpenAsync();
        await house.PutAsync(
            """{"resourceType":"Observation","id":"mg","identifier":[{"type":{"coding":[{"system":"http://t.example","code":"MR"}]},"value":"77"}],"code":{"text":"Weight","coding":[{"system":"http://loinc.example","code":"w"}]},"valueQuantity":{"value":5.42,"system":"http://unitsofmeasure.org","code":"mg","unit":"milligram"}}""",
            """{"resourceType":"Observation","id":"tablets","code":{"coding":[{"code":"x"}]},"valueQuantity":{"value":5.4,"unit":"tablets"},"component":[{"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":80}},{"code":{"coding":[{"code":"dia"}]},"valueQuantity":{"value":120}}]}""");
        Assert.Equal(ids, await house.IdsAsync("Observation?" + query));
    }

    [Theory]
    [InlineData("url=http://v.example/a", "a")]
    [InlineData("url=http://V.example/a")]
    [InlineData("url:below=http://v.example/a", "a", "b")]
    [InlineData("url:above=http://v.example/a/b/c", "a", "b")]
    [InlineData("_profile=http://p.example/x", "b")]
    public async Task Uri_(string query, params string[] ids)
    {
        using var house = await SearchHouse.OpenAsync();
        await house.PutAsync(
            """{"resourceType":"ValueSet","id":"a","url":"http://v.example/a"}""",
            """{"resourceType":"ValueSet","id":"ab","url":"http://v.example/ab"}""",
            """{"resourceType":"ValueSet","id":"b","meta":{"profile":["http://p.example/x"]},"url":"http://v.example/a/b"}""");
        Assert.Equal(ids, await house.IdsAsync("ValueSet?" + query));
    }

    private static async Task CheckAsync(string query, string[] ids)
    {
        using var house = await SearchHouse.OpenAsync();
        await house.PutAsync(People);
        Assert.Equal(ids, await house.IdsAsync("Patient?" + query));
    }
}
