using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>A Subscription is served as it was asked for, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html.</summary>
public sealed class AgreementTests(ServerUnderTest server)
{
    private static SubscriberHost Host => SubscriberHost.Instance;

    /// <summary>conformance.html#must-support: what is asked for comes back, extensions too.</summary>
    [Fact]
    public async Task Subscription_ReadBack_HoldsEverythingThatWasAskedFor()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var subscription = Subscribing.ByTopic(Subscribing.AppointmentTopic, box.Address, "full-resource", $"Appointment?patient={patient}", "Appointment?status=booked")
            .With(("heartbeat-period", "valueUnsignedInt", 60), ("timeout", "valueUnsignedInt", 5), ("max-count", "valuePositiveInt", 20));
        subscription["meta"] = new JsonObject { ["profile"] = new JsonArray(Subscribing.Extension + "subscription") };
        subscription["contact"] = new JsonArray(new JsonObject { ["system"] = "email", ["value"] = "desk@clinic.example" });
        subscription["end"] = "2099-01-01T00:00:00Z";
        var id = await server.SubscribeAsync(subscription);
        var read = (await server.GetAsync($"Subscription/{id}")).Is(HttpStatusCode.OK).Body!;

        foreach (var element in (string[])["reason", "contact", "end", "criteria", "_criteria", "channel"])
        {
            Assert.True(JsonNode.DeepEquals(subscription[element], read[element]), $"{element}: {read[element]?.ToJsonString()}");
        }
        Assert.Contains(Subscribing.Extension + "subscription", read["meta"]!["profile"]!.AsArray().Select(profile => (string?)profile));
    }

    /// <summary>channels.html#rest-hook: any answer of the two hundreds is a yes.</summary>
    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(202)]
    [InlineData(204)]
    public async Task RestHook_AnyAnswerOfTheTwoHundreds_IsAYes(int status)
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        box.Answer((_, _) => new(status));
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}"));
        await server.ObserveAsync(patient);

        await box.EventsUpToAsync(1);
        Assert.Equal(2, box.All.Count);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#version-parameter: a version that the server speaks is honoured, and said.</summary>
    [Theory]
    [InlineData("application/fhir+json; fhirVersion=4.0")]
    [InlineData("application/fhir+json;charset=utf-8")]
    public async Task Payload_WithParameters_IsTheContentType(string payload)
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}").Channel("payload", payload));

        Assert.StartsWith(payload, Assert.Single(box.All).Headers["Content-Type"], StringComparison.Ordinal);
    }

    /// <summary>StructureDefinition-backport-channel-type.html: a standard type may be named by the extension too.</summary>
    [Fact]
    public async Task ChannelType_NamedByItsCoding_IsThatChannel()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        var coding = new JsonObject { ["system"] = "http://terminology.hl7.org/CodeSystem/subscription-channel-type", ["code"] = "rest-hook" };
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}").Channel("_type", Subscribing.Extended(("channel-type", "valueCoding", coding))));

        Assert.Single(box.Of("handshake"));
    }

    /// <summary>What is changed counts from the change on; the numbers go on.</summary>
    [Fact]
    public async Task Filter_Changed_CountsFromThenOn()
    {
        var (box, before, after) = (Host.Open(), await server.AdmitAsync(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={before}"));
        await server.ObserveAsync(before);
        await box.EventsUpToAsync(1);
        var read = (await server.GetAsync($"Subscription/{id}")).Is(HttpStatusCode.OK).Body!;
        read["_criteria"] = Subscribing.Extended(("filter-criteria", "valueString", $"patient={after}"));
        (await server.PutAsync($"Subscription/{id}", read)).Is(HttpStatusCode.OK);
        await server.ObserveAsync(before);
        var observation = await server.ObserveAsync(after);

        var last = (await box.EventsUpToAsync(2))[^1];
        Assert.EndsWith(observation, Notice.FocusOf(last)[^1], StringComparison.Ordinal);
        Assert.Equal(2, Notice.TotalOf((await server.GetAsync($"Subscription/{id}/$status")).Body));
    }

    /// <summary>payloads.html#full-resource: the topic is named, and the version that the event made is held, whatever came after it.</summary>
    [Fact]
    public async Task FullResource_NamesTheTopic_AndHoldsTheVersionOfTheEvent()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "full-resource", $"patient={patient}").With(("max-count", "valuePositiveInt", 1)));
        var open = new TaskCompletionSource();
        box.Answer((_, _) => new(open.Task.IsCompleted ? 200 : 503));
        var observation = await server.ObserveAsync(patient);
        var update = Subscribing.Observation(patient, "b");
        update["id"] = observation.Split('/')[1];
        (await server.PutAsync(observation, update)).Is(HttpStatusCode.OK);
        open.SetResult();

        var bundles = await box.EventsUpToAsync(2);
        Assert.Equal(["1", "2"], bundles.Select(bundle => (string?)bundle["entry"]![1]!["resource"]!["meta"]!["versionId"]));
        Assert.All(bundles, bundle => Assert.Equal(Subscribing.PatientTopic, (string?)Notice.Parameter(Notice.Status(bundle), "topic")));
        Assert.Equal(["POST", "PUT"], bundles.Select(bundle => (string?)bundle["entry"]![1]!["request"]!["method"]));
    }

    /// <summary>The topics that come with the server, each told of a change that it is about: conformance/SubscriptionTopics.</summary>
    [Fact]
    public async Task OwnTopics_TellOfWhatTheyAreAbout()
    {
        var clinic = await server.OpenClinicAsync();
        var appointments = await SubscribeAsync("appointment", $"Appointment?practitioner={clinic.Practitioner}");
        var statuses = await SubscribeAsync("appointment-status", $"Appointment?practitioner={clinic.Practitioner}");
        var slots = await SubscribeAsync("slot", $"Slot?schedule={clinic.Schedule}");
        var free = await SubscribeAsync("slot-free", $"Slot?schedule={clinic.Schedule}");
        var schedules = await SubscribeAsync("schedule", $"Schedule?actor={clinic.Practitioner}");
        var records = await SubscribeAsync("patient-record", $"patient={clinic.Patient}");
        var booked = (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created).Id;
        var appointment = (await server.GetAsync($"Appointment/{booked}")).Is(HttpStatusCode.OK).Body!;
        appointment["comment"] = "Brings a friend";
        (await server.PutAsync($"Appointment/{booked}", appointment)).Is(HttpStatusCode.OK);
        (await server.PostAsync($"Appointment/{booked}/$cancel", new JsonObject { ["resourceType"] = "Parameters" })).Is(HttpStatusCode.OK);
        var schedule = (await server.GetAsync(clinic.Schedule)).Is(HttpStatusCode.OK).Body!;
        schedule["comment"] = "Ground floor";
        (await server.PutAsync(clinic.Schedule, schedule)).Is(HttpStatusCode.OK);

        Assert.Equal([$"Appointment/{booked}", $"Appointment/{booked}", $"Appointment/{booked}"], await ToldAsync(appointments, 3));
        Assert.Equal([$"Appointment/{booked}", $"Appointment/{booked}"], await ToldAsync(statuses, 2)); // a comment is no status
        Assert.Equal([clinic.Slots[0].Reference, clinic.Slots[0].Reference], await ToldAsync(slots, 2));
        Assert.Equal([clinic.Slots[0].Reference], await ToldAsync(free, 1));
        Assert.Equal([clinic.Schedule], await ToldAsync(schedules, 1));
        Assert.Equal([$"Appointment/{booked}", $"Appointment/{booked}", $"Appointment/{booked}"], await ToldAsync(records, 3));

        async Task<Mailbox> SubscribeAsync(string topic, string filter)
        {
            var box = Host.Open();
            await server.SubscribeAsync(Subscribing.ByTopic($"urn:fhir-server:topic:{topic}", box.Address, "id-only", filter));
            return box;
        }

        static async Task<IEnumerable<string>> ToldAsync(Mailbox box, long last) =>
            (await box.EventsUpToAsync(last)).SelectMany(Notice.FocusOf).Select(focus => string.Join('/', focus!.Split('/')[^2..]));
    }
}
