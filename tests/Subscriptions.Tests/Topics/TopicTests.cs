using System.Text.Json;
using CsCheck;
using FhirCore;
using FhirStore;
using FhirStore.Search;
using Subscriptions.Tests.Support;
using Subscriptions.Topics;

namespace Subscriptions.Tests.Topics;

public sealed class TopicTests
{
    [Fact]
    public async Task OwnTopics_ComeWithTheServer()
    {
        using var house = await House.OpenAsync();
        var topics = await house.Topics.ReadAsync(default);

        Assert.Equal(
            ["urn:fhir-server:topic:appointment", "urn:fhir-server:topic:appointment-status", "urn:fhir-server:topic:patient-record", "urn:fhir-server:topic:schedule",
             "urn:fhir-server:topic:slot", "urn:fhir-server:topic:slot-free"],
            topics.Offered.Order(StringComparer.Ordinal));
        Assert.NotNull(topics.Find("urn:fhir-server:topic:slot|1.0.0"));
        Assert.Null(topics.Find("urn:fhir-server:topic:slot|2.0.0"));
    }

    [Theory]
    [InlineData(null, "proposed", true)]
    [InlineData("proposed", "booked", true)]
    [InlineData("booked", "booked", false)]
    public async Task AppointmentStatus_TellsOfAnotherStatusOnly(string? before, string now, bool told)
    {
        using var house = await House.OpenAsync();
        var topic = (await house.Topics.ReadAsync(default)).Find("urn:fhir-server:topic:appointment-status")!;
        using var change = Change(before is null ? null : Appointment(before), Appointment(now));

        Assert.Equal(told, topic.Triggers.Any(trigger => trigger.Fires(change)));
    }

    /// <summary>Each of the two tests is absent, fails or passes; the table of R5 is the oracle.</summary>
    [Fact]
    public async Task QueryTrigger_IsAsR5Says()
    {
        using var house = await House.OpenAsync();
        var criteria = new CriteriaCompiler(new(), house.Clock);
        var booked = criteria.Compile("Appointment", "status=booked").Value;
        var states = Gen.Int[0, 2].Select(state => state switch { 0 => null, 1 => "proposed", _ => "booked" });
        Gen.Select(states, states, Gen.Select(Gen.Bool, Gen.Bool), Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool)).Where((before, after, _, _) => before is not null || after is not null)
            .Sample((before, after, tested, results) =>
            {
                var (testsBefore, testsAfter) = tested;
                var (passesOnCreate, passesOnDelete, both) = results;
                if (!testsBefore && !testsAfter)
                {
                    return true;
                }
                var trigger = new QueryTrigger(testsBefore ? booked : null, passesOnCreate, testsAfter ? booked : null, passesOnDelete, both);
                using var change = Change(before is null ? null : Appointment(before), after is null ? null : Appointment(after));
                var first = before is null ? passesOnCreate : before == "booked";
                var second = after is null ? passesOnDelete : after == "booked";
                var expected = testsBefore && testsAfter ? both ? first && second : first || second : testsBefore ? first : second;
                return trigger.Holds(change) == expected;
            });
    }

    [Theory]
    [InlineData("%previous.empty() or %previous.status != 'booked'", true)]
    [InlineData("%current.participant.where(actor.reference.startsWith('Patient/')).exists()", false)]
    [InlineData("status = 'booked'", false)]
    public void FhirPath_KnowsWhetherItNeedsThePreviousState(string expression, bool needs) =>
        Assert.Equal(needs, FhirPathTrigger.Compile(expression, "x").Value.NeedsPrevious);

    [Theory]
    [InlineData("")]
    [InlineData("status =")]
    [InlineData("repeat(children())")]
    [InlineData("descendants().exists()")]
    [InlineData("status.matches('(a*)*b')")]
    [InlineData("resolve().exists()")]
    [InlineData("iif(true, iif(true, iif(true, iif(true, true))))")]
    [InlineData("nothing()")]
    public void FhirPath_WithoutBound_IsRefused(string expression) =>
        Assert.Equal("x", Assert.Single(FhirPathTrigger.Compile(expression, "x").Failure!.Issues).Expression);

    [Fact]
    public void FhirPath_TooLong_IsRefused() => Assert.NotNull(FhirPathTrigger.Compile(string.Join(" or ", Enumerable.Repeat("status = 'booked'", 200)), "x").Failure);

    [Fact]
    public void FhirPath_ThatFails_SaysSoAndQuotesNothing()
    {
        using var change = Change(null, Appointment("booked", ""","serviceType":[{"text":"secret"},{"text":"b"}]"""));
        var fault = Assert.Throws<TriggerFaultException>(() => FhirPathTrigger.Compile("serviceType.single().exists()", "x").Value.Holds(change));
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    internal static string Appointment(string status, string extra = "") =>
        $$"""{"resourceType":"Appointment","id":"a","status":"{{status}}","participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"}]{{extra}} }""";

    internal static ResourceChange Change(string? before, string? after)
    {
        using var document = JsonDocument.Parse((after ?? before)!);
        var key = new ResourceKey(document.RootElement.GetProperty("resourceType").GetString()!, "a");
        return new(key, Of(after, 2), Of(before, 1))
        {
            Interaction = before is null ? ResourceInteraction.Create : after is null ? ResourceInteraction.Delete : ResourceInteraction.Update,
        };

        StoredResource? Of(string? json, long version) => json is null ? null : new(key, version, House.Opening, false, System.Text.Encoding.UTF8.GetBytes(json));
    }
}
