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

    /// <summary>Who follows one patient is found by the patient; nobody else is.</summary>
    [Theory]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?patient=Patient/p1", "Appointment", "p1")]
    [InlineData("urn:fhir-server:topic:appointment", "patient=Patient/p1", "Appointment", "p1")]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?patient=Patient/p1,Patient/p2", "Appointment", null)]
    [InlineData("urn:fhir-server:topic:appointment", "Appointment?status=booked", "Appointment", null)]
    [InlineData("urn:fhir-server:topic:patient-record", "patient=Patient/p1", "Observation", "p1")]
    [InlineData("urn:fhir-server:topic:patient-record", "Encounter?patient=Patient/p1", "Observation", null)]
    public async Task Filter_OnOnePatient_IsIndexedByIt(string topic, string filter, string type, string? patient)
    {
        using var house = await House.OpenAsync();
        var found = (await house.Topics.ReadAsync(default)).Find(topic)!;
        Assert.Equal(patient, house.Filters.ReadFilters(found, [filter]).Value[type].Patient);
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
