using System.Text.Json;
using CsCheck;
using FhirCore;
using Subscriptions.Definitions;
using Subscriptions.Tests.Support;
using Subscriptions.Tests.Topics;

namespace Subscriptions.Tests.Definitions;

public sealed class FilterTests
{
    /// <summary>Filters hold all together, values of one filter one of them: the same, said with plain text comparisons, is the oracle.</summary>
    [Fact]
    public async Task Filters_MustAllHold()
    {
        using var house = await House.OpenAsync();
        var topic = (await house.Topics.ReadAsync(default)).Find("urn:fhir-server:topic:appointment")!;
        string[] states = ["proposed", "booked", "arrived", "cancelled"];
        Gen.Select(Gen.Int[0, 3].Array[0, 3], Gen.Int[0, 2].Array[0, 2], Gen.Int[0, 3], Gen.Int[0, 2]).Sample((wantedStates, wantedPatients, state, patient) =>
        {
            var texts = new List<string?>();
            if (wantedStates.Length > 0)
            {
                texts.Add($"Appointment?status={string.Join(',', wantedStates.Select(one => states[one]))}");
            }
            texts.AddRange(wantedPatients.Select(one => $"Appointment?patient=Patient/p{one}"));
            var filter = house.Filters.ReadFilters(topic, texts).Value["Appointment"];
            using var document = JsonDocument.Parse(TopicTests.Appointment(states[state]).Replace("Patient/p\"", $"Patient/p{patient}\"", StringComparison.Ordinal));
            var expected = (wantedStates.Length == 0 || wantedStates.Contains(state)) && wantedPatients.All(one => one == patient);
            return filter.Matches(new("Appointment", "a"), document.RootElement) == expected;
        });
    }

    /// <summary>Who follows certain resources is found by them; nobody else is.</summary>
    [Theory]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?patient=Patient/p1", "Appointment", "Patient/p1")]
    [InlineData("urn:fhir-server:topic:appointment", "patient=Patient/p1", "Appointment", "Patient/p1")]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?patient=Patient/p1,Patient/p2", "Appointment", "Patient/p1 Patient/p2")]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?practitioner=Practitioner/d1", "Appointment", "Practitioner/d1")]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?practitioner=d1", "Appointment", "Practitioner/d1")]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?status=booked", "Appointment", "")]
    [InlineData("urn:fhir-server:topic:slot", "Slot?schedule=Schedule/s1", "Slot", "Schedule/s1")]
    [InlineData("urn:fhir-server:topic:patient-record", "patient=Patient/p1", "Observation", "Patient/p1")]
    [InlineData("urn:fhir-server:topic:patient-record", "Encounter?patient=Patient/p1", "Observation", "")]
    public async Task Filter_OnCertainResources_IsIndexedByThem(string topic, string filter, string type, string named)
    {
        using var house = await House.OpenAsync();
        var found = (await house.Topics.ReadAsync(default)).Find(topic)!;
        Assert.Equal(named, string.Join(' ', house.Filters.ReadFilters(found, [filter]).Value[type].Named));
    }

    [Theory]
    [InlineData("Observation?subject=Patient/p1&performer=Practitioner/a,Practitioner/b", "Patient/p1")]
    [InlineData("Observation?_id=o1&subject=Patient/p1", "Observation/o1")]
    [InlineData("Patient?_id=a,b", "Patient/a Patient/b")]
    [InlineData("Observation?subject=http://elsewhere.example/fhir/Patient/1", "")]
    [InlineData("Observation?subject:missing=false", "")]
    [InlineData("Observation?subject:identifier=http://a|b", "")]
    [InlineData("Observation?subject=p1", "Device/p1 Group/p1 Location/p1 Patient/p1")]
    public async Task Criteria_OnCertainResources_AreIndexedByTheFewest(string criteria, string named)
    {
        using var house = await House.OpenAsync();
        Assert.Equal(named, string.Join(' ', house.Filters.ReadCriteria(criteria).Value.Filter.Named));
    }

    [Theory]
    [InlineData("Appointment?status=booked", "Appointment")]
    [InlineData("Appointment", "Appointment")]
    [InlineData("Observation?code=http://loinc.org|1975-2", "Observation")]
    [InlineData("Appointment?nothing=1", null)]
    [InlineData("Appointment?_include=Appointment:patient", null)]
    [InlineData("Appointment?_sort=date", null)]
    [InlineData("Appointment?patient.name=x", null)]
    [InlineData("Nothing?a=b", null)]
    [InlineData("", null)]
    public async Task Criteria_AreSearchesThatOneResourceCanMeet(string criteria, string? type)
    {
        using var house = await House.OpenAsync();
        var outcome = house.Filters.ReadCriteria(criteria);
        Assert.Equal(type, outcome.TryGet(out var read, out FhirFailure? failure) ? read.Type : null);
        Assert.Equal(type is null ? "Subscription.criteria" : null, failure?.Issues[0].Expression);
    }
}
