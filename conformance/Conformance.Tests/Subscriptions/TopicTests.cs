using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>Topics of a client's own, as Basic: https://build.fhir.org/ig/HL7/fhir-subscription-backport-ig/components.html.</summary>
public sealed class TopicTests(ServerUnderTest server)
{
    private const string Element = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.";
    private static SubscriberHost Host => SubscriberHost.Instance;

    /// <summary>FHIRPath on %previous and %current, https://hl7.org/fhir/R5/subscriptiontopic.html.</summary>
    [Fact]
    public async Task TopicByFhirPath_TriggersOnTheChangeItDescribes()
    {
        var (box, patient, url) = (Host.Open(), await server.AdmitAsync(), NewUrl());
        (await server.PostAsync("Basic", Topic(url, Trigger("Observation",
            ("fhirPathCriteria", "valueString", "%previous.exists() and %previous.status != 'cancelled' and %current.status = 'cancelled'"))))).Is(HttpStatusCode.Created);
        var id = await server.SubscribeAsync(Subscribing.ByTopic(url, box.Address, "id-only", $"Observation?subject={patient}"));
        var observation = Subscribing.Observation(patient);
        observation["status"] = "cancelled";
        (await server.PostAsync("Observation", observation)).Is(HttpStatusCode.Created); // there was nothing before
        var changed = await server.ObserveAsync(patient);
        observation["id"] = changed.Split('/')[1];
        (await server.PutAsync(changed, observation)).Is(HttpStatusCode.OK);
        (await server.PutAsync(changed, observation)).Is(HttpStatusCode.OK); // it was cancelled already

        var bundle = await box.NextAsync("event-notification");
        Assert.EndsWith(changed, Assert.Single(Notice.FocusOf(bundle)), StringComparison.Ordinal);
        Assert.Equal(url, (string?)Notice.Parameter(Notice.Status(bundle), "topic"));
        await server.ObserveAsync(patient);
        Assert.Equal(1, Notice.TotalOf((await server.GetAsync($"Subscription/{id}/$status")).Body));
    }

    /// <summary>queryCriteria: what holds of a resource that was not there, and whether both tests must hold.</summary>
    [Fact]
    public async Task TopicByQuery_TriggersOnTheChangeItDescribes()
    {
        var (box, patient, url) = (Host.Open(), await server.AdmitAsync(), NewUrl());
        (await server.PostAsync("Basic", Topic(url, Trigger("Observation", Query(
            ("previous", "valueString", "status:not=final"), ("resultForCreate", "valueCode", "test-fails"), ("current", "valueString", "status=final"), ("requireBoth", "valueBoolean", true)))))).Is(HttpStatusCode.Created);
        await server.SubscribeAsync(Subscribing.ByTopic(url, box.Address, "id-only", $"Observation?subject={patient}"));
        await server.ObserveAsync(patient); // final from the beginning
        var observation = Subscribing.Observation(patient);
        observation["status"] = "preliminary";
        var made = (await server.PostAsync("Observation", observation)).Is(HttpStatusCode.Created).Id;
        observation["id"] = made;
        observation["status"] = "final";
        (await server.PutAsync($"Observation/{made}", observation)).Is(HttpStatusCode.OK);

        var bundle = await box.NextAsync("event-notification");
        Assert.Equal([1], Notice.NumbersOf(bundle));
        Assert.EndsWith($"Observation/{made}", Assert.Single(Notice.FocusOf(bundle)), StringComparison.Ordinal);
    }

    /// <summary>conformance.html: every topic that can be subscribed to is named in the CapabilityStatement.</summary>
    [Fact]
    public async Task Topic_IsInTheCapabilityStatement_WhileItIsThere()
    {
        SubscriberHost.Instance.Open();
        var url = NewUrl();
        Assert.DoesNotContain(url, (await server.GetAsync("metadata")).Text, StringComparison.Ordinal);
        var topic = (await server.PostAsync("Basic", Topic(url, Trigger("Observation")))).Is(HttpStatusCode.Created);
        Assert.Contains(url, (await server.GetAsync("metadata")).Text, StringComparison.Ordinal);
        (await server.DeleteAsync($"Basic/{topic.Id}")).Is(HttpStatusCode.NoContent);
        Assert.DoesNotContain(url, (await server.GetAsync("metadata")).Text, StringComparison.Ordinal);
    }

    /// <summary>A subscription whose topic goes away says so, and stands again when the topic is back and the client asks.</summary>
    [Fact]
    public async Task TopicThatIsTakenAway_MakesItsSubscriptionsAnError()
    {
        var (box, patient, url) = (Host.Open(), await server.AdmitAsync(), NewUrl());
        var topic = (await server.PostAsync("Basic", Topic(url, Trigger("Observation")))).Is(HttpStatusCode.Created);
        var id = await server.SubscribeAsync(Subscribing.ByTopic(url, box.Address, "id-only", $"Observation?subject={patient}"));
        (await server.DeleteAsync($"Basic/{topic.Id}")).Is(HttpStatusCode.NoContent);

        var failed = await server.StatusIsAsync(id, "error");
        failed["status"] = "requested";
        (await server.PutAsync($"Subscription/{id}", failed)).Refused(HttpStatusCode.UnprocessableEntity);
        (await server.PostAsync("Basic", Topic(url, Trigger("Observation")))).Is(HttpStatusCode.Created);
        (await server.PutAsync($"Subscription/{id}", failed)).Is(HttpStatusCode.OK);
        await server.StatusIsAsync(id, "active");
        await server.ObserveAsync(patient);
        await box.NextAsync("event-notification");
    }

    /// <summary>An expression that cannot be evaluated on some resource does not match it, is told of, and stops nobody.</summary>
    [Fact]
    public async Task TriggerThatFails_DoesNotMatch_IsToldInTheStatus_AndStopsNobody()
    {
        var (box, other, patient, url) = (Host.Open(), Host.Open(), await server.AdmitAsync(), NewUrl());
        (await server.PostAsync("Basic", Topic(url, Trigger("Observation", ("fhirPathCriteria", "valueString", "(code.coding | category).single().code = 'a'"))))).Is(HttpStatusCode.Created);
        var id = await server.SubscribeAsync(Subscribing.ByTopic(url, box.Address, "id-only", $"Observation?subject={patient}"));
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, other.Address, "id-only", $"patient={patient}"));
        var observation = Subscribing.Observation(patient);
        observation["category"] = new JsonArray(new JsonObject { ["text"] = "two make single() fail" });
        (await server.PostAsync("Observation", observation)).Is(HttpStatusCode.Created);
        await server.ObserveAsync(patient);

        await other.EventsUpToAsync(2);
        var bundle = await box.NextAsync("event-notification");
        Assert.Equal([1], Notice.NumbersOf(bundle));
        var status = (await server.GetAsync($"Subscription/{id}/$status")).Body!["entry"]![0]!["resource"]!;
        Assert.Contains("trigger", (string?)Notice.Parameter(status, "error")!["text"], StringComparison.Ordinal);
        Notice.IsStatus(status, id, "query-status", "active");
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "no trigger", "" },
        { "unknown type", Trigger("Unicorn").ToJsonString() },
        { "expression that does not parse", Trigger("Observation", ("fhirPathCriteria", "valueString", "%previous.status =")).ToJsonString() },
        { "unknown function", Trigger("Observation", ("fhirPathCriteria", "valueString", "fly()")).ToJsonString() },
        { "function without bound", Trigger("Observation", ("fhirPathCriteria", "valueString", "repeat(children()).exists()")).ToJsonString() },
        { "pattern matching", Trigger("Observation", ("fhirPathCriteria", "valueString", "status.matches('(a+)+b')")).ToJsonString() },
        { "deep nesting", Trigger("Observation", ("fhirPathCriteria", "valueString", "component.where(code.coding.where(extension.where(extension.where(url = 'x').exists()).exists()).exists()).exists()")).ToJsonString() },
        { "query of another type", Trigger("Observation", Query(("current", "valueString", "Patient?active=true"))).ToJsonString() },
        { "query of no parameter", Trigger("Observation", Query(("current", "valueString", "horn=1"))).ToJsonString() },
        { "event trigger", new JsonObject { ["url"] = Element + "eventTrigger", ["valueString"] = "x" }.ToJsonString() },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task TopicThatCannotBeKept_IsRefused(string why, string trigger)
    {
        SubscriberHost.Instance.Open();
        var answer = await server.PostAsync("Basic", trigger.Length == 0 ? Topic(NewUrl()) : Topic(NewUrl(), JsonNode.Parse(trigger)!.AsObject()));
        answer.Refused(HttpStatusCode.UnprocessableEntity);
        Assert.True(answer.Body!["issue"]![0]!["expression"] is not null, why);
    }

    /// <summary>One url, one topic; the server's own are not written over.</summary>
    [Fact]
    public async Task TopicWithAUrlInUse_IsRefused()
    {
        SubscriberHost.Instance.Open();
        (await server.PostAsync("Basic", Topic(Subscribing.AppointmentTopic, Trigger("Observation")))).Refused(HttpStatusCode.UnprocessableEntity);
        var url = NewUrl();
        (await server.PostAsync("Basic", Topic(url, Trigger("Observation")))).Is(HttpStatusCode.Created);
        (await server.PostAsync("Basic", Topic(url, Trigger("Observation")))).Refused(HttpStatusCode.UnprocessableEntity);
    }

    private static string NewUrl() => "http://conformance.example.org/topic/" + Guid.NewGuid().ToString("N");

    private static JsonObject Topic(string url, params JsonObject[] triggers) => new()
    {
        ["resourceType"] = "Basic",
        ["extension"] = new JsonArray(
        [
            new JsonObject { ["url"] = Element + "url", ["valueUri"] = url },
            .. triggers,
            new JsonObject { ["url"] = Element + "canFilterBy", ["extension"] = new JsonArray(Part("resource", "valueUri", "Observation"), Part("filterParameter", "valueString", "subject")) },
        ]),
        ["modifierExtension"] = new JsonArray(new JsonObject { ["url"] = Element + "status", ["valueCode"] = "active" }),
        ["code"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = "http://hl7.org/fhir/fhir-types", ["code"] = "SubscriptionTopic" }) },
    };

    private static JsonObject Trigger(string type, params (string Name, string Type, JsonNode Value)[] parts) => new()
    {
        ["url"] = Element + "resourceTrigger",
        ["extension"] = new JsonArray([Part("resource", "valueUri", "http://hl7.org/fhir/StructureDefinition/" + type), .. parts.Select(part => Part(part.Name, part.Type, part.Value.DeepClone()))]),
    };

    private static (string Name, string Type, JsonNode Value) Query(params (string Name, string Type, JsonNode Value)[] tests) =>
        ("queryCriteria", "extension", new JsonArray([.. tests.Select(test => Part(test.Name, test.Type, test.Value))]));

    private static JsonObject Part(string name, string type, JsonNode value) => new() { ["url"] = name, [type] = value };
}
