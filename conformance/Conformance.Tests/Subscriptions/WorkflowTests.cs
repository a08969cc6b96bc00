using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>The checks of HL7's subscriptions test kit for servers, and what the pages they rest on ask beside them.</summary>
public sealed class WorkflowTests(ServerUnderTest server)
{
    private static SubscriberHost Host => SubscriberHost.Instance;

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#rest-hook: requested, then a handshake, then active.</summary>
    [Fact]
    public async Task RestHook_WhenCreated_IsRequestedAndGetsAHandshakeBeforeItIsActive()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var created = (await server.PostAsync("Subscription", Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"))).Is(HttpStatusCode.Created);

        Assert.Equal("requested", (string?)created.Body!["status"]);
        var handshake = await box.NextAsync("handshake");
        Notice.IsNotification(handshake, created.Id, "handshake", "requested");
        Assert.Empty(Notice.EventsOf(handshake));
        await server.StatusIsAsync(created.Id, "active");
        Assert.Single(box.All);
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/payloads.html#empty</summary>
    [Fact]
    public async Task Empty_TellsThatSomethingHappened_AndNothingElse()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}"));
        var observation = await server.ObserveAsync(patient);

        var bundle = await box.NextAsync("event-notification");
        Notice.IsNotification(bundle, id, "event-notification", "active");
        Assert.Single(bundle["entry"]!.AsArray());
        var happened = Assert.Single(Notice.EventsOf(bundle));
        Assert.Equal("1", (string?)Notice.Part(happened, "event-number"));
        Assert.Null(Notice.Part(happened, "focus"));
        Assert.Null(Notice.Part(happened, "additional-context"));
        Assert.Null(Notice.Parameter(Notice.Status(bundle), "topic"));
        Assert.DoesNotContain(observation.Split('/')[1], bundle.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(patient.Split('/')[1], bundle.ToJsonString(), StringComparison.Ordinal);
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/payloads.html#id-only</summary>
    [Fact]
    public async Task IdOnly_NamesTheFocus_AndHoldsNoResource()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"));
        var observation = await server.ObserveAsync(patient);

        var bundle = await box.NextAsync("event-notification");
        Notice.IsNotification(bundle, id, "event-notification", "active");
        Assert.EndsWith(observation, Assert.Single(Notice.FocusOf(bundle)), StringComparison.Ordinal);
        Assert.All(bundle["entry"]!.AsArray().Skip(1), entry =>
        {
            Assert.Null(entry!["resource"]);
            Assert.NotNull(entry["fullUrl"]);
        });
        Assert.DoesNotContain("urn:conformance", bundle.ToJsonString(), StringComparison.Ordinal);
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/payloads.html#full-resource: focus and context are found among the entries.</summary>
    [Fact]
    public async Task FullResource_HoldsTheFocusAndItsContext()
    {
        var box = Host.Open();
        var clinic = await server.OpenClinicAsync();
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.AppointmentTopic, box.Address, "full-resource", $"Appointment?patient={clinic.Patient}"));
        var booked = (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created);

        var bundle = await box.NextAsync("event-notification");
        Notice.IsNotification(bundle, id, "event-notification", "active");
        Assert.Equal(Subscribing.AppointmentTopic, (string?)Notice.Parameter(Notice.Status(bundle), "topic"));
        var entries = bundle["entry"]!.AsArray().Skip(1).ToArray();
        var happened = Assert.Single(Notice.EventsOf(bundle));
        var focus = Resolve((string)Notice.Part(happened, "focus")!["reference"]!);
        Assert.Equal(booked.Id, (string?)focus["id"]);
        Assert.Equal("booked", (string?)focus["status"]);
        var context = Resolve((string)Notice.Part(happened, "additional-context")!["reference"]!);
        Assert.Equal(clinic.Patient.Split('/')[1], (string?)context["id"]);

        JsonNode Resolve(string reference) => Assert.Single(entries, entry => (string?)entry!["fullUrl"] == reference)!["resource"]!;
    }

    /// <summary>https://hl7.org/fhir/R4/bundle.html#history: a deletion is shown by its request.</summary>
    [Fact]
    public async Task FullResource_OfADeletion_HasTheRequestAndNoResource()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var observation = await server.ObserveAsync(patient);
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "full-resource", $"patient={patient}"));
        (await server.DeleteAsync(observation)).Is(HttpStatusCode.NoContent);

        var bundle = await box.NextAsync("event-notification");
        var entry = Assert.Single(bundle["entry"]!.AsArray().Skip(1))!;
        Assert.Equal("DELETE", (string?)entry["request"]!["method"]);
        Assert.EndsWith(observation, (string?)entry["fullUrl"], StringComparison.Ordinal);
        Assert.Null(entry["resource"]);
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#rest-hook: the content type asked for, and each header.</summary>
    [Fact]
    public async Task RestHook_SendsContentTypeAndHeadersAsAskedFor()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var subscription = Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}")
            .Channel("payload", "application/json").Channel("header", new JsonArray("Authorization: Bearer secret-token", "X-Clinic:  blue "));
        await server.SubscribeAsync(subscription);
        await server.ObserveAsync(patient);
        await box.NextAsync("event-notification");

        Assert.All(box.All, received =>
        {
            Assert.Equal("POST", received.Method);
            Assert.StartsWith("application/json", received.Headers["Content-Type"], StringComparison.Ordinal);
            Assert.Equal("Bearer secret-token", received.Headers["Authorization"]);
            Assert.Equal("blue", received.Headers["X-Clinic"]);
        });
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-heartbeat-period.html</summary>
    [Fact]
    public async Task Heartbeats_ComeWhereAPeriodIsGiven_AndOnlyThere()
    {
        var (beating, silent, patient) = (Host.Open(), Host.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, beating.Address, "empty", $"patient={patient}").With(("heartbeat-period", "valueUnsignedInt", 1)));
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, silent.Address, "empty", $"patient={patient}"));

        await beating.NextAsync("heartbeat");
        var second = await beating.NextAsync("heartbeat", after: 1);
        Notice.IsNotification(second, id, "heartbeat", "active");
        Assert.Equal(0, Notice.TotalOf(second));
        Assert.Empty(silent.Of("heartbeat"));
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html</summary>
    [Fact]
    public async Task Status_ByGetAndPost_OfOneAndOfSeveral()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var first = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}"));
        var off = Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}");
        off["status"] = "off";
        var second = (await server.PostAsync("Subscription", off)).Is(HttpStatusCode.Created).Id;
        await server.ObserveAsync(patient);
        await server.CountedAsync(first, 1);

        foreach (var answer in new[] { await server.GetAsync($"Subscription/{first}/$status"), await server.PostAsync($"Subscription/{first}/$status", new JsonObject { ["resourceType"] = "Parameters" }) })
        {
            Assert.Equal("searchset", (string?)answer.Is(HttpStatusCode.OK).Body!["type"]);
            var parameters = Assert.Single(answer.Entries());
            Notice.IsStatus(parameters, first, "query-status", "active");
            Assert.Equal("1", (string?)Notice.Parameter(parameters, "events-since-subscription-start"));
        }
        var both = (await server.GetAsync($"Subscription/$status?id={first}&id={second}")).Is(HttpStatusCode.OK);
        Assert.Equal(2, both.Entries().Count);
        var onlyOff = (await server.PostAsync("Subscription/$status", new JsonObject
        {
            ["resourceType"] = "Parameters",
            ["parameter"] = new JsonArray(
                new JsonObject { ["name"] = "id", ["valueId"] = first }, new JsonObject { ["name"] = "id", ["valueId"] = second }, new JsonObject { ["name"] = "status", ["valueCode"] = "off" }),
        })).Is(HttpStatusCode.OK);
        Notice.IsStatus(Assert.Single(onlyOff.Entries()), second, "query-status", "off");
        (await server.GetAsync("Subscription/nobody-has-this/$status")).Refused(HttpStatusCode.NotFound);
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-events.html: both bounds are included.</summary>
    [Fact]
    public async Task Events_GivesWhatHasHappened_BetweenTheNumbers()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}"));
        var observations = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            observations.Add(await server.ObserveAsync(patient));
        }
        await server.CountedAsync(id, 5);

        var some = (await server.GetAsync($"Subscription/{id}/$events?eventsSinceNumber=2&eventsUntilNumber=4&content=id-only")).Is(HttpStatusCode.OK).Body!;
        Notice.IsNotification(some, id, "query-event", "active");
        Assert.Equal([2, 3, 4], Notice.NumbersOf(some));
        Assert.Equal(5, Notice.TotalOf(some));
        Assert.Equal(observations[1..4], Notice.FocusOf(some).Select(focus => string.Join('/', focus!.Split('/')[^2..])));
        var whole = (await server.GetAsync($"Subscription/{id}/$events?eventsSinceNumber=5&content=full-resource")).Is(HttpStatusCode.OK).Body!;
        Assert.Equal(observations[4].Split('/')[1], (string?)whole["entry"]![1]!["resource"]!["id"]);
        var plain = (await server.GetAsync($"Subscription/{id}/$events")).Is(HttpStatusCode.OK).Body!;
        Assert.Equal([1, 2, 3, 4, 5], Notice.NumbersOf(plain));
        Assert.All(Notice.FocusOf(plain), Assert.Null);
        (await server.GetAsync($"Subscription/{id}/$events?eventsSinceNumber=x")).Refused(HttpStatusCode.BadRequest);
    }

    /// <summary>https://build.fhir.org/ig/HL7/fhir-subscription-backport-ig/OperationDefinition-backport-subscription-resend.html</summary>
    [Fact]
    public async Task Resend_SendsTheSameEventsAgain()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"));
        for (var i = 0; i < 3; i++)
        {
            await server.ObserveAsync(patient);
        }
        await box.EventsUpToAsync(3);
        var before = box.Events.Count;

        (await server.PostAsync($"Subscription/{id}/$resend", new JsonObject
        {
            ["resourceType"] = "Parameters",
            ["parameter"] = new JsonArray(new JsonObject { ["name"] = "eventsSinceNumber", ["valueString"] = "2" }, new JsonObject { ["name"] = "eventsUntilNumber", ["valueString"] = "3" }),
        })).Is(HttpStatusCode.OK);
        var numbers = await box.WhenAsync(_ => box.Events.Skip(before).SelectMany(Notice.NumbersOf).ToArray() is { Length: 2 } again ? again : null);
        Assert.Equal([2, 3], numbers);
        Assert.Equal(3, Notice.TotalOf((await server.GetAsync($"Subscription/{id}/$status")).Body));
        (await server.PostAsync($"Subscription/{id}/$resend", new JsonObject { ["resourceType"] = "Parameters" })).Refused(HttpStatusCode.BadRequest);
        (await server.GetAsync($"Subscription/{id}/$resend?eventsSinceNumber=1")).Refused(HttpStatusCode.MethodNotAllowed);
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-max-count.html; numbers without gaps, in order.</summary>
    [Fact]
    public async Task MaxCount_IsNeverExceeded_AndNumbersFollowOneAnother()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}").With(("max-count", "valuePositiveInt", 3)));
        var open = new TaskCompletionSource();
        box.Answer((_, _) => open.Task.IsCompleted ? new(200) : new(503));
        for (var i = 0; i < 8; i++)
        {
            await server.ObserveAsync(patient);
        }
        await server.CountedAsync(id, 8);
        var before = box.All.Count;
        open.SetResult();
        await box.EventsUpToAsync(8);

        var taken = box.All.Skip(before).Select(received => Notice.NumbersOf(received.Json!).ToArray()).ToArray();
        Assert.All(taken, numbers => Assert.InRange(numbers.Length, 1, 3));
        Assert.Equal(Enumerable.Range(1, 8).Select(number => (long)number), taken.SelectMany(numbers => numbers));
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-filter-criteria.html: all filters hold.</summary>
    [Fact]
    public async Task Filters_AllMustHold()
    {
        var box = Host.Open();
        var clinic = await server.OpenClinicAsync();
        var id = await server.SubscribeAsync(Subscribing.ByTopic(
            Subscribing.AppointmentTopic, box.Address, "id-only", $"Appointment?patient={clinic.Patient}", $"Appointment?practitioner={clinic.Practitioner}&status=cancelled"));
        var wanted = (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created).Id;
        var other = (await server.PostAsync("Appointment/$book", clinic.Booking(1, clinic.OtherPatient))).Is(HttpStatusCode.Created).Id;
        (await server.PostAsync($"Appointment/{other}/$cancel", new JsonObject { ["resourceType"] = "Parameters" })).Is(HttpStatusCode.OK);
        (await server.PostAsync($"Appointment/{wanted}/$cancel", new JsonObject { ["resourceType"] = "Parameters" })).Is(HttpStatusCode.OK);

        var bundle = await box.NextAsync("event-notification");
        Assert.Equal([1], Notice.NumbersOf(bundle));
        Assert.EndsWith($"Appointment/{wanted}", Assert.Single(Notice.FocusOf(bundle)), StringComparison.Ordinal);
        Assert.Equal(1, Notice.TotalOf((await server.GetAsync($"Subscription/{id}/$status")).Body));
    }

    /// <summary>A topic that triggers on the state before and after, https://hl7.org/fhir/R5/subscriptiontopic.html.</summary>
    [Fact]
    public async Task SlotFree_TriggersWhenASlotBecomesFree_NotOnOtherChanges()
    {
        var box = Host.Open();
        var clinic = await server.OpenClinicAsync();
        await server.SubscribeAsync(Subscribing.ByTopic("urn:fhir-server:topic:slot-free", box.Address, "id-only", $"Slot?schedule={clinic.Schedule}"));
        var booked = (await server.PostAsync("Appointment/$book", clinic.Booking(2))).Is(HttpStatusCode.Created).Id;
        (await server.PostAsync($"Appointment/{booked}/$cancel", new JsonObject { ["resourceType"] = "Parameters" })).Is(HttpStatusCode.OK);

        var bundle = await box.NextAsync("event-notification");
        Assert.Equal([1], Notice.NumbersOf(bundle));
        Assert.EndsWith(clinic.Slots[2].Reference, Assert.Single(Notice.FocusOf(bundle)), StringComparison.Ordinal);
    }

    /// <summary>https://hl7.org/fhir/R4/subscription.html#search</summary>
    [Fact]
    public async Task Subscriptions_AreFoundByUrlAndStatus()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}"));

        Assert.Equal([id], (await server.GetAsync($"Subscription?url={Uri.EscapeDataString(box.Address)}")).Is(HttpStatusCode.OK).Ids());
        Assert.Equal([id], (await server.GetAsync($"Subscription?url={Uri.EscapeDataString(box.Address)}&status=active")).Is(HttpStatusCode.OK).Ids());
        Assert.Empty((await server.GetAsync($"Subscription?url={Uri.EscapeDataString(box.Address)}&status=off")).Is(HttpStatusCode.OK).Ids());
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/conformance.html</summary>
    [Fact]
    public async Task Metadata_NamesProfileTopicsOperationsAndWhereWebSocketsAre()
    {
        var statement = (await server.GetAsync("metadata")).Is(HttpStatusCode.OK).Body!;
        Assert.Contains("http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4", statement["instantiates"]!.AsArray().Select(url => (string?)url));
        var rest = statement["rest"]![0]!;
        Assert.Contains(rest["extension"]!.AsArray(), extension => (string?)extension!["url"] == "http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket");
        var subscription = rest["resource"]!.AsArray().Single(resource => (string?)resource!["type"] == "Subscription")!;
        Assert.Contains(Subscribing.Extension.Replace("backport-", "backport-subscription", StringComparison.Ordinal), subscription["supportedProfile"]!.AsArray().Select(url => (string?)url));
        var topics = subscription["extension"]!.AsArray()
            .Where(extension => ((string?)extension!["url"])!.EndsWith("capabilitystatement-subscriptiontopic-canonical", StringComparison.Ordinal)).Select(extension => (string?)extension!["valueCanonical"]).ToArray();
        Assert.Superset(new HashSet<string?>([Subscribing.AppointmentTopic, Subscribing.PatientTopic, "urn:fhir-server:topic:slot", "urn:fhir-server:topic:schedule"]), topics.ToHashSet());
        Assert.Superset(new HashSet<string?>(["status", "events", "get-ws-binding-token"]), subscription["operation"]!.AsArray().Select(operation => (string?)operation!["name"]).ToHashSet());
        Assert.Superset(new HashSet<string?>(["url", "status"]), subscription["searchParam"]!.AsArray().Select(parameter => (string?)parameter!["name"]).ToHashSet());
    }
}
