using System.Text;
using FhirCore;
using FhirStore.Json;

namespace FhirStore.Tests.Json;

public sealed class ResourceParserTests
{
    private const string App = """
        "resourceType":"Appointment","participant":[{"status":"accepted","actor":{"reference":"Patient/1"}}]
        """;

    [Theory]
    [InlineData("""{"resourceType":"Patient"}""")]
    [InlineData("""{"id":"a","active":true,"resourceType":"Patient"}""")]
    [InlineData("""{"resourceType":"Patient","birthDate":"2024-02-29","_birthDate":{"extension":[{"url":"http://x","valueDateTime":"2024-02-29T10:00:00+02:00"}]}}""")]
    [InlineData("""{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x","valueCode":"unknown"}]}}""")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"extension":[{"url":"http://x","valueCode":"unknown"}]}]}]}""")]
    [InlineData("""{"resourceType":"Patient","name":[{"_given":[{"extension":[{"url":"http://x","valueCode":"unknown"}]}]}]}""")]
    [InlineData("""{"resourceType":"Patient","deceasedBoolean":false,"_deceasedBoolean":{"id":"x"}}""")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}],"managingOrganization":{"reference":"#o"}}""")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"https://a.example/fhir/Organization/1/_history/2"}}""")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}}""")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"https://a.example/anything"}}""")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50e3,"comparator":"<"}}""")]
    [InlineData("""{"resourceType":"Observation","code":{"text":"x"},"_status":{"extension":[{"url":"http://x","valueCode":"unknown"}]}}""")]
    [InlineData("""{"resourceType":"Binary","contentType":"text/plain","data":"aGk="}""")]
    [InlineData("""{"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"b"}]}}]}""")]
    [InlineData("""{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Slot","status":"free","start":"2024-01-01T00:00:00Z","end":"2024-01-01T01:00:00Z","schedule":{"reference":"Schedule?identifier=1"}}}]}""")]
    public void Parse_Right_IsTaken(string json) => Assert.Empty(Bodies.Issues(json));

    [Theory]
    // What it is
    [InlineData("""[]""", "structure")]
    [InlineData("""1""", "structure")]
    [InlineData("""{}""", "required")]
    [InlineData("""{"resourceType":1}""", "structure")]
    [InlineData("""{"resourceType":"Patients"}""", "structure")]
    [InlineData("""{"resourceType":"DomainResource"}""", "structure")]
    [InlineData("""{"resourceType":"Patient","resourceType":"Patient"}""", "structure Patient")]
    // Unknown, repeated, empty
    [InlineData("""{"resourceType":"Patient","birthdate":"2020-01-01"}""", "structure Patient.birthdate")]
    [InlineData("""{"resourceType":"Patient","Müller 12":"x"}""", "structure Patient")]
    [InlineData("""{"resourceType":"Patient","_name":[{}]}""", "structure Patient._name")]
    [InlineData("""{"resourceType":"Patient","value":true}""", "structure Patient.value")]
    [InlineData("""{"resourceType":"Patient","active":true,"active":false}""", "structure Patient.active")]
    [InlineData("""{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}""", "structure Patient.deceased")]
    [InlineData("""{"resourceType":"Patient","deceasedBoolean":true,"_deceasedDateTime":{"extension":[{"url":"u","valueCode":"x"}]}}""", "structure Patient.deceased")]
    [InlineData("""{"resourceType":"Patient","deceasedBoolean":true,"deceasedBoolean":true}""", "structure Patient.deceased")]
    [InlineData("""{"resourceType":"Patient","name":[]}""", "structure Patient.name")]
    [InlineData("""{"resourceType":"Patient","name":[{}]}""", "structure Patient.name[0]")]
    [InlineData("""{"resourceType":"Patient","name":[{"family":""}]}""", "value Patient.name[0].family")]
    [InlineData("""{"resourceType":"Patient","name":[{"family":" \t"}]}""", "value Patient.name[0].family")]
    [InlineData("""{"resourceType":"Patient","name":[{"id":"x"}]}""", "invariant Patient.name[0]")]
    // Shapes
    [InlineData("""{"resourceType":"Patient","name":{"family":"x"}}""", "structure Patient.name")]
    [InlineData("""{"resourceType":"Patient","name":["x"]}""", "structure Patient.name[0]")]
    [InlineData("""{"resourceType":"Patient","active":"true"}""", "structure Patient.active")]
    [InlineData("""{"resourceType":"Patient","active":[true]}""", "structure Patient.active")]
    [InlineData("""{"resourceType":"Patient","birthDate":20200101}""", "structure Patient.birthDate")]
    [InlineData("""{"resourceType":"Patient","birthDate":null}""", "structure Patient.birthDate")]
    [InlineData("""{"resourceType":"Patient","maritalStatus":"S"}""", "structure Patient.maritalStatus")]
    [InlineData("""{"resourceType":"Patient","multipleBirthInteger":"1"}""", "structure Patient.multipleBirth")]
    [InlineData("""{"resourceType":"Patient","name":[null]}""", "structure Patient.name[0]|structure Patient.name")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["a","b"],"_given":[null,null]}]}""", "structure Patient.name[0].given")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":[null],"_given":[{"extension":[{"url":"u","valueCode":"x"}]}]}]}""", "structure Patient.name[0].given")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["a",null]}]}""", "structure Patient.name[0].given[1]")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["a"],"_given":[null,{"id":"x"}]}]}""", "structure Patient.name[0].given")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,null]}]}""", "structure Patient.name[0].given[1]|structure Patient.name[0].given")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["a"],"_given":{"id":"x"}}]}""", "structure Patient.name[0].given")]
    [InlineData("""{"resourceType":"Patient","birthDate":"2020","_birthDate":"x"}""", "structure Patient.birthDate")]
    [InlineData("""{"resourceType":"Patient","_birthDate":{"id":"x"}}""", "invariant Patient.birthDate")]
    [InlineData("""{"resourceType":"Patient","_birthDate":{"value":"x","id":"y"},"birthDate":"2020"}""", "structure Patient.birthDate.value")]
    // Mandatory
    [InlineData("""{"resourceType":"Observation","status":"final"}""", "required Observation.code")]
    [InlineData("""{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"}}""", "required MedicationRequest.medication")]
    [InlineData("""{"resourceType":"Patient","communication":[{"preferred":true}]}""", "required Patient.communication[0].language")]
    [InlineData("""{"resourceType":"Patient","extension":[{"valueString":"x"}]}""", "required Patient.extension[0].url")]
    // Codes
    [InlineData("""{"resourceType":"Patient","gender":"Male"}""", "code-invalid Patient.gender")]
    [InlineData("""{"resourceType":"Patient","telecom":[{"system":"phone","use":"private"}]}""", "code-invalid Patient.telecom[0].use")]
    // References
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization/"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Foo/1"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"/Organization/1"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization/a b"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1/_history/"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1/2"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization?name=x"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Practitioner/1"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"http://x/fhir/Practitioner/1"}}""", "value Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"#nobody"}}""", "invariant Patient.managingOrganization.reference")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"p"}],"managingOrganization":{"reference":"#p"}}""", "value Patient.managingOrganization.reference")]
    // Resources inside
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization"}]}""", "required Patient.contained[0].id")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a"},{"resourceType":"Organization","id":"a"}]}""", "value Patient.contained[1].id")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","contained":[{"resourceType":"Organization","id":"b"}]}]}""", "invariant Patient.contained[0].contained")]
    [InlineData("""{"resourceType":"Patient","contained":[{"id":"a"}]}""", "required Patient.contained[0]")]
    [InlineData("""{"resourceType":"Bundle","type":"batch","entry":[{},{"resource":{"resourceType":"Patient","birthDate":"x"}}]}""", "structure Bundle.entry[0]|value Bundle.entry[1].resource.birthDate")]
    [InlineData("""{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","link":[{"type":"refer","other":{"reference":"#x"}}]}}]}""", "invariant Bundle.entry[0].resource.link[0].other.reference")]
    // Invariants
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"http://x"}]}""", "invariant Patient.extension[0]")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"http://x","valueString":"a","extension":[{"url":"y","valueString":"b"}]}]}""", "invariant Patient.extension[0]")]
    [InlineData("""{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2024-01-02","end":"2024-01-01"}}]}""", "invariant Patient.name[0].period")]
    // Several at once
    [InlineData("""{"resourceType":"Patient","gender":"x","active":1,"photo":[{"size":-1,"url":"a b"}]}""", "code-invalid Patient.gender|structure Patient.active|value Patient.photo[0].size|value Patient.photo[0].url")]
    public void Parse_Wrong_IssueAndExpression(string json, string expected) => Assert.Equal(expected.Split('|'), Bodies.Issues(json));

    [Theory]
    [InlineData("\"status\":\"booked\",\"start\":\"2024-01-01T10:00:00Z\",\"end\":\"2024-01-01T11:00:00Z\"", "")]
    [InlineData("\"status\":\"proposed\"", "")]
    [InlineData("\"status\":\"booked\"", "app-3")]
    [InlineData("\"status\":\"proposed\",\"start\":\"2024-01-01T10:00:00Z\"", "app-2")]
    [InlineData("\"status\":\"booked\",\"end\":\"2024-01-01T10:00:00Z\"", "app-2 app-3")]
    [InlineData("\"status\":\"proposed\",\"cancelationReason\":{\"text\":\"x\"}", "app-4")]
    [InlineData("\"status\":\"cancelled\",\"cancelationReason\":{\"text\":\"x\"}", "")]
    public void Parse_AppointmentInvariants(string elements, string broken)
    {
        var outcome = Bodies.Parse($"{{{App},{elements}}}");
        Assert.Equal(broken, string.Join(' ', outcome.Failure?.Issues.Select(i => i.Diagnostics[..5]) ?? []));
    }

    [Theory]
    [InlineData("2024-01-01", "2024-01-01", true)]
    [InlineData("2024-01-02", "2024-01", true)] // of different precision: nothing can be said
    [InlineData("2024", "2023", false)]
    [InlineData("2024-01-01T10:00:00+02:00", "2024-01-01T08:30:00Z", true)]
    [InlineData("2024-01-01T10:00:00+01:00", "2024-01-01T08:30:00Z", false)]
    [InlineData("2024-01-01T10:00:00-01:00", "2024-01-01T10:30:00Z", false)]
    [InlineData("2024-01-01T10:00:00.500Z", "2024-01-01T10:00:00.5Z", true)]
    [InlineData("2024-01-01T10:00:00.51Z", "2024-01-01T10:00:00.5Z", false)]
    public void Parse_PeriodOrder(string start, string end, bool right) =>
        Assert.Equal(right, Bodies.Issues($$"""{"resourceType":"Patient","name":[{"family":"x","period":{"start":"{{start}}","end":"{{end}}"} }]}""").Length == 0);

    [Fact]
    public void Parse_AnotherTypeThanTheUrlNames_OneIssueThatSaysBoth()
    {
        var issue = Assert.Single(Bodies.Parse("""{"resourceType":"Patient","nonsense":1}""", "Slot").Failure!.Issues);
        Assert.Equal(("structure", "Patient"), (issue.Code, issue.Expression));
        Assert.Contains("Patient", issue.Diagnostics, StringComparison.Ordinal);
        Assert.Contains("Slot", issue.Diagnostics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("birthdate", "Did you mean birthDate?")]
    [InlineData("names", "Did you mean name?")]
    [InlineData("generalPracticioner", "Did you mean generalPractitioner?")]
    [InlineData("multipleBirth", "use one of multipleBirthBoolean, multipleBirthInteger.")]
    public void Parse_NearlyRightName_HintsAtTheRightOne(string name, string hint) =>
        Assert.Contains(hint, Bodies.Parse($$"""{"resourceType":"Patient","{{name}}":"x"}""").Failure!.Issues[0].Diagnostics, StringComparison.Ordinal);

    [Fact]
    public void Parse_WrongValues_DiagnosticsNeverQuoteThem()
    {
        const string Secret = "Xq7Secret";
        string[] bodies =
        [
            $$"""{"resourceType":"Patient","birthDate":"{{Secret}}","active":"{{Secret}}","name":"{{Secret}}","maritalStatus":["{{Secret}}"]}""",
            $$"""{"resourceType":"Patient","managingOrganization":{"reference":"{{Secret}}/1"},"generalPractitioner":[{"reference":"#{{Secret}}"}]}""",
            $$"""{"resourceType":"Patient","photo":[{"data":"{{Secret}}!","url":"{{Secret}} x"}],"text":{"status":"generated","div":"{{Secret}}"} }""",
            $$"""{"resourceType":"Patient","name":[{"family":{{Secret}} }]}""",
            $$"""{"resourceType":"Patient","{{Secret}} is here":1}""",
            $$"""{"resourceType":"{{Secret}} 12"}""",
        ];
        Assert.All(bodies, body => Assert.All(Bodies.Parse(body).Failure!.Issues, issue =>
        {
            Assert.DoesNotContain(Secret, issue.Diagnostics, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, issue.Expression ?? "", StringComparison.Ordinal);
        }));
    }

    [Fact]
    public void Parse_ManyIssues_HundredAndACount()
    {
        var names = string.Join(',', Enumerable.Repeat("{\"use\":\"wrong\"}", 250));
        var issues = Bodies.Parse($$"""{"resourceType":"Patient","name":[{{names}}]}""").Failure!.Issues;
        Assert.Equal(101, issues.Length);
        Assert.Equal((IssueSeverity.Information, "150 more problems were found and are not listed."), (issues[^1].Severity, issues[^1].Diagnostics));
        Assert.Equal("Patient.name[99].use", issues[99].Expression);
    }

    [Fact]
    public void Parse_Accepted_GivesTypeIdAndAnIndependentCopy()
    {
        var bytes = """{"id":"p1","resourceType":"Patient","active":true}"""u8.ToArray();
        var parsed = ResourceParser.Parse(bytes, "Patient").Value;
        Array.Clear(bytes);
        Assert.Equal(("Patient", "p1"), (parsed.Type, parsed.Id));
        Assert.True(parsed.Root.GetProperty("active").GetBoolean());
        Assert.Null(Bodies.Parse("""{"resourceType":"Patient"}""").Value.Id);
    }

    [Fact]
    public void Parse_ByteOrderMark_IsSkipped() =>
        Assert.Null(ResourceParser.Parse(Encoding.UTF8.GetPreamble().Concat("""{"resourceType":"Patient"}"""u8.ToArray()).ToArray(), null).Failure);
}
