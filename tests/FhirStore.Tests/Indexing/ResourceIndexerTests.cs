using System.Text;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Indexing;
using FhirStore.Tests.Search;

namespace FhirStore.Tests.Indexing;

public sealed class ResourceIndexerTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Fact]
    public async Task Index_Patient_KeepsItsRowsFewAndSaysNothingInClear()
    {
        using var house = await SearchHouse.OpenAsync();
        var entries = Index(house, "Patient", """
            {"resourceType":"Patient","id":"p1","active":true,
             "identifier":[{"system":"http://h.example/mrn","value":"MRN-884422"},{"system":"http://h.example/ssn","value":"999-88-8619"},{"system":"urn:oid:1.2.3","value":"S99955854"}],
             "name":[{"use":"official","family":"Sommerfeld","given":["Agustina","Maria"],"prefix":["Ms."]},{"use":"maiden","family":"Okonkwo"}],
             "telecom":[{"system":"phone","value":"555-929-9025"},{"system":"email","value":"a.sommerfeld@example.org"}],
             "gender":"female","birthDate":"1994-02-01",
             "address":[{"line":["586 Hilll Ranch Unit 68"],"city":"Fall River","state":"Massachusetts","postalCode":"02720","country":"US"}],
             "communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"es"}]}}],
             "generalPractitioner":[{"reference":"Practitioner/dr-1"}],"managingOrganization":{"reference":"Organization/o1"}}
            """);
        var rows = 0;
        foreach (var entry in entries)
        {
            rows++;
        }
        Assert.InRange(rows, 30, 45);
        var block = Encoding.Latin1.GetString(entries.Block.Span);
        foreach (var secret in new[] { "MRN-884422", "ommer", "555-929", "ssachu", "Practitioner", "female", "dr-1" })
        {
            Assert.DoesNotContain(secret, block, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Index_Names_GiveAsManyEntriesWhateverTheirLength()
    {
        using var house = await SearchHouse.OpenAsync();
        Assert.Equal(Rows("Li"), Rows("Wolkenstein-Rodenegg"));

        int Rows(string family)
        {
            var rows = 0;
            foreach (var entry in Index(house, "Patient", $$"""{"resourceType":"Patient","id":"p","name":[{"family":"{{family}}"}]}"""))
            {
                rows++;
            }
            return rows;
        }
    }

    [Fact]
    public async Task Index_Slot_GivesSchedulingItsFields()
    {
        using var house = await SearchHouse.OpenAsync();
        var entries = Index(house, "Slot", """{"resourceType":"Slot","id":"s","schedule":{"reference":"Schedule/x/_history/3"},"status":"free","start":"2031-01-01T10:00:00+02:00","end":"2031-01-01T10:30:00+02:00"}""");
        var schedule = house.Operational.ReferenceToken("Schedule/x");
        var start = SortableTime.Encode(new(2031, 1, 1, 8, 0, 0, TimeSpan.Zero));
        Assert.True(entries.Has(OperationalFields.SlotScheduleStart, [.. schedule, .. start]));
        Assert.True(entries.Has(OperationalFields.SlotScheduleStatusStart, [.. schedule, 1, .. start]));
        Assert.True(entries.Has(OperationalFields.End, SortableTime.Encode(new(2031, 1, 1, 8, 30, 0, TimeSpan.Zero))));
    }

    [Theory]
    [InlineData("booked", true)]
    [InlineData("pending", true)]
    [InlineData("arrived", true)]
    [InlineData("checked-in", true)]
    [InlineData("cancelled", false)]
    [InlineData("proposed", false)]
    [InlineData("noshow", false)]
    public async Task Index_Appointment_HoldsTimeOnlyInSomeStates(string status, bool holds)
    {
        using var house = await SearchHouse.OpenAsync();
        var entries = Index(house, "Appointment", $$"""
            {"resourceType":"Appointment","id":"a","status":"{{status}}","start":"2031-01-01T10:00:00Z","end":"2031-01-01T10:30:00Z","slot":[{"reference":"{{SearchHouse.BaseUrl}}/Slot/s1"}],
             "extension":[{"url":"{{OperationalFields.HoldUntilUrl}}","valueDateTime":"2031-01-01T09:00:00Z"}],
             "participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"},{"actor":{"reference":"Practitioner/d"},"status":"accepted"}]}
            """);
        var start = SortableTime.Encode(new(2031, 1, 1, 10, 0, 0, TimeSpan.Zero));
        foreach (var actor in new[] { "Patient/p", "Practitioner/d" })
        {
            Assert.Equal(holds, entries.Has(OperationalFields.AppointmentActorStart, [.. house.Operational.ReferenceToken(actor), .. start]));
        }
        Assert.Equal(holds, entries.Has(OperationalFields.AppointmentSlot, house.Operational.ReferenceToken("Slot/s1")));
        Assert.Equal(status == "pending", entries.Has(OperationalFields.AppointmentHoldUntil, SortableTime.Encode(new(2031, 1, 1, 9, 0, 0, TimeSpan.Zero))));
    }

    [Theory]
    [InlineData("""{"resourceType":"Patient","id":"x"}""", "x")]
    [InlineData("""{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/p1"},"performer":[{"reference":"Practitioner/d"}]}""", "p1")]
    [InlineData("""{"resourceType":"Observation","id":"x","subject":{"reference":"https://clinic.example/fhir/Patient/p1/_history/2"}}""", "p1")]
    [InlineData("""{"resourceType":"Observation","id":"x","subject":{"reference":"https://other.example/fhir/Patient/p1"}}""", null)]
    [InlineData("""{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/p1"},"performer":[{"reference":"Patient/p2"}]}""", null)]
    [InlineData("""{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/p1"},"performer":[{"reference":"Patient/p1"}]}""", "p1")]
    [InlineData("""{"resourceType":"Observation","id":"x","subject":{"reference":"Group/g"}}""", null)]
    [InlineData("""{"resourceType":"Appointment","id":"x","participant":[{"actor":{"reference":"Patient/p1"}},{"actor":{"reference":"Practitioner/d"}}]}""", "p1")]
    [InlineData("""{"resourceType":"Provenance","id":"x","target":[{"reference":"Patient/p1"}]}""", "p1")]
    [InlineData("""{"resourceType":"Slot","id":"x","schedule":{"reference":"Schedule/s"}}""", null)]
    public async Task SubjectOf_IsTheOnePatientWhoseDataItIs(string json, string? subject)
    {
        using var house = await SearchHouse.OpenAsync();
        using var document = JsonDocument.Parse(json);
        Assert.Equal(subject, house.Indexer.SubjectOf(new(document.RootElement.GetProperty("resourceType").GetString()!, "x"), document.RootElement));
    }

    private static IndexEntries Index(SearchHouse house, string type, string json)
    {
        using var document = JsonDocument.Parse(json);
        return house.Indexer.Index(new ResourceKey(type, "x"), Now, document.RootElement);
    }
}
