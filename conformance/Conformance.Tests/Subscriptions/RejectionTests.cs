using System.Net;
using System.Text.Json.Nodes;
using Tests.Shared;

namespace Conformance.Tests.Subscriptions;

/// <summary>What a server does not honour it refuses, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/conformance.html#must-support.</summary>
public sealed class RejectionTests(ServerUnderTest server)
{
    private const string CrossVersion = "http://hl7.org/fhir/5.0/subscriptions-backport/StructureDefinition/backport-filter-criteria";

    private static readonly Dictionary<string, (Action<JsonObject> Change, string Expression)> Wrongs = new()
    {
        ["topic"] = (s => s["criteria"] = "http://example.org/topics/none", "Subscription.criteria"),
        ["criteria of no type"] = (s => Plain(s)["criteria"] = "Unicorn?horn=1", "Subscription.criteria"),
        ["criteria of no parameter"] = (s => Plain(s)["criteria"] = "Observation?horn=1", "Subscription.criteria"),
        ["criteria with a chain"] = (s => Plain(s)["criteria"] = "Observation?subject.name=x", "Subscription.criteria"),
        ["filter that the topic does not have"] = (s => Filter(s, "Appointment?reason-code=1"), "Subscription.criteria.extension[0]"),
        ["filter of another type"] = (s => Filter(s, "Observation?code=1"), "Subscription.criteria.extension[0]"),
        ["filter with a modifier"] = (s => Filter(s, "Appointment?patient:missing=true"), "Subscription.criteria.extension[0]"),
        ["filter with a wrong value"] = (s => Filter(s, "Appointment?date=yesterday"), "Subscription.criteria.extension[0]"),
        ["second filter"] = (s => Filter(s, "Appointment?status=booked", "Appointment?colour=blue"), "Subscription.criteria.extension[1]"),
        ["filter without a condition"] = (s => Filter(s, "Appointment?"), "Subscription.criteria.extension[0]"),
        ["cross-version extension on criteria"] = (s => s["_criteria"] = new JsonObject { ["extension"] = new JsonArray(new JsonObject { ["url"] = CrossVersion, ["valueString"] = "Encounter?patient=Patient/123" }) }, "Subscription.criteria.extension[0]"),
        ["cross-version extension on the channel"] = (s => s["channel"]!["extension"] = new JsonArray(new JsonObject { ["url"] = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.maxCount", ["valuePositiveInt"] = 3 }), "Subscription.channel.extension[0]"),
        ["channel message"] = (s => s["channel"]!["type"] = "message", "Subscription.channel.type"),
        ["channel sms"] = (s => s["channel"]!["type"] = "sms", "Subscription.channel.type"),
        ["channel of somebody else"] = (s => s["channel"]!["_type"] = CustomChannel("http://example.org/subscription-channel-type", "zulip"), "Subscription.channel.type.extension"),
        ["channel kafka without Kafka, or with an endpoint"] = (
            s => s["channel"]!["_type"] = CustomChannel("urn:fhir-server:subscription-channel-type", "kafka"),
            EngineUnderTest.HasKafka ? "Subscription.channel.endpoint" : "Subscription.channel.type.extension"),
        ["channel email without a mail server"] = (s => { s["channel"]!["type"] = "email"; s["channel"]!["endpoint"] = "mailto:a@example.org"; s["channel"]!["payload"] = "text/plain"; }, "Subscription.channel.type"),
        ["no endpoint"] = (s => s["channel"]!.AsObject().Remove("endpoint"), "Subscription.channel.endpoint"),
        ["endpoint over plain http"] = (s => s["channel"]!["endpoint"] = "http://subscriber.example.org/hook", "Subscription.channel.endpoint"),
        ["endpoint of another scheme"] = (s => s["channel"]!["endpoint"] = "ftp://subscriber.example.org/hook", "Subscription.channel.endpoint"),
        ["relative endpoint"] = (s => s["channel"]!["endpoint"] = "/hook", "Subscription.channel.endpoint"),
        ["endpoint with a user"] = (s => s["channel"]!["endpoint"] = "https://user:word@subscriber.example.org/hook", "Subscription.channel.endpoint"),
        ["cloud metadata"] = (s => s["channel"]!["endpoint"] = "https://169.254.169.254/latest/meta-data", "Subscription.channel.endpoint"),
        ["loopback"] = (s => s["channel"]!["endpoint"] = "https://127.0.0.1/hook", "Subscription.channel.endpoint"),
        ["loopback by name"] = (s => s["channel"]!["endpoint"] = "https://localhost/hook", "Subscription.channel.endpoint"),
        ["loopback of IPv6"] = (s => s["channel"]!["endpoint"] = "https://[::1]/hook", "Subscription.channel.endpoint"),
        ["private network"] = (s => s["channel"]!["endpoint"] = "https://10.1.2.3/hook", "Subscription.channel.endpoint"),
        ["mapped private address"] = (s => s["channel"]!["endpoint"] = "https://[::ffff:10.1.2.3]/hook", "Subscription.channel.endpoint"),
        ["address as one number"] = (s => s["channel"]!["endpoint"] = "https://2130706433/hook", "Subscription.channel.endpoint"),
        ["no payload"] = (s => s["channel"]!.AsObject().Remove("payload"), "Subscription.channel.payload"),
        ["payload XML"] = (s => s["channel"]!["payload"] = "application/fhir+xml", "Subscription.channel.payload"),
        ["payload of another version"] = (s => s["channel"]!["payload"] = "application/fhir+json; fhirVersion=5.0", "Subscription.channel.payload"),
        ["payload of e-mail over a websocket"] = (s => { s["channel"]!["type"] = "websocket"; s["channel"]!.AsObject().Remove("endpoint"); s["channel"]!["payload"] = "text/plain"; }, "Subscription.channel.payload"),
        ["endpoint of a websocket"] = (s => s["channel"]!["type"] = "websocket", "Subscription.channel.endpoint"),
        ["header of a websocket"] = (s => { s["channel"]!["type"] = "websocket"; s["channel"]!.AsObject().Remove("endpoint"); s["channel"]!["header"] = new JsonArray("X-A: a"); }, "Subscription.channel.header"),
        ["payload not for the channel"] = (s => s["channel"]!["payload"] = "text/plain", "Subscription.channel.payload"),
        ["no content level"] = (s => s["channel"]!.AsObject().Remove("_payload"), "Subscription.channel.payload.extension"),
        ["unknown content level"] = (s => s["channel"]!["_payload"] = Subscribing.Extended(("payload-content", "valueCode", "everything")), "Subscription.channel.payload.extension"),
        ["two heartbeats"] = (s => s.With(("heartbeat-period", "valueUnsignedInt", 10), ("heartbeat-period", "valueUnsignedInt", 20)), "Subscription.channel.extension"),
        ["heartbeat that is no number"] = (s => s.With(("heartbeat-period", "valueString", "often")), "Subscription.channel.extension"),
        ["timeout that is no number"] = (s => s.With(("timeout", "valueString", "soon")), "Subscription.channel.extension"),
        ["two counts"] = (s => s.With(("max-count", "valuePositiveInt", 1), ("max-count", "valuePositiveInt", 2)), "Subscription.channel.extension"),
        ["header of two lines"] = (s => s["channel"]!["header"] = new JsonArray("X-A: a\r\nX-B: b"), "Subscription.channel.header[0]"),
        ["header without a name"] = (s => s["channel"]!["header"] = new JsonArray("just words"), "Subscription.channel.header[0]"),
        ["header of the connection"] = (s => s["channel"]!["header"] = new JsonArray("X-A: a", "Host: other.example.org"), "Subscription.channel.header[1]"),
        ["header that is the server's own"] = (s => s["channel"]!["header"] = new JsonArray("webhook-id: 1"), "Subscription.channel.header[0]"),
        ["masked header of nothing"] = (s => s["channel"]!["header"] = new JsonArray("Authorization: ****"), "Subscription.channel.header[0]"),
        ["secret too short"] = (s => s["channel"]!["extension"] = new JsonArray(new JsonObject { ["url"] = "urn:fhir-server:subscription-signing-secret", ["valueString"] = "short" }), "Subscription.channel.extension"),
        ["end that is past"] = (s => s["end"] = "2020-01-01T00:00:00Z", "Subscription.end"),
        ["content level without a topic"] = (s => s["criteria"] = "Appointment?status=booked", "Subscription.channel.payload.extension"),
    };

    public static TheoryData<string> Names => [.. Wrongs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Subscription_ThatCannotBeHonoured_IsRefusedAndSaysWhere(string wrong)
    {
        var (change, expression) = Wrongs[wrong];
        var subscription = Make();
        change(subscription);
        var answer = (await server.PostAsync("Subscription", subscription)).Refused(HttpStatusCode.UnprocessableEntity);

        Assert.Contains(expression, answer.Body!["issue"]!.AsArray().SelectMany(issue => issue!["expression"]?.AsArray() ?? []).Select(text => (string?)text));
    }

    /// <summary>Nothing is left of what was refused: it is not stored, and nobody is called.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task Subscription_ThatIsRefused_LeavesNothingBehind(string wrong)
    {
        var (box, mark) = (SubscriberHost.Instance.Open(), Guid.NewGuid().ToString("N"));
        var subscription = Subscribing.ByTopic(Subscribing.AppointmentTopic, box.Address, "id-only");
        subscription["meta"] = new JsonObject { ["tag"] = new JsonArray(new JsonObject { ["system"] = "urn:conformance", ["code"] = mark }) };
        Wrongs[wrong].Change(subscription);
        (await server.PostAsync("Subscription", subscription)).Refused(HttpStatusCode.UnprocessableEntity);

        Assert.Empty((await server.GetAsync($"Subscription?_tag=urn:conformance|{mark}")).Is(HttpStatusCode.OK).Ids());
        Assert.Empty(box.All);
    }

    /// <summary>What stood before an update that is refused still stands, and is still served.</summary>
    [Fact]
    public async Task Update_ThatIsRefused_LeavesTheSubscriptionAsItWas()
    {
        var (box, patient) = (SubscriberHost.Instance.Open(), await server.AdmitAsync());
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"));
        var before = (await server.GetAsync($"Subscription/{id}")).Is(HttpStatusCode.OK);
        var wrong = before.Body!.DeepClone();
        wrong["channel"]!["endpoint"] = "https://10.1.2.3/hook";
        (await server.PutAsync($"Subscription/{id}", wrong)).Refused(HttpStatusCode.UnprocessableEntity);

        Assert.Equal(before.Text, (await server.GetAsync($"Subscription/{id}")).Is(HttpStatusCode.OK).Text);
        await server.ObserveAsync(patient);
        await box.EventsUpToAsync(1);
        Assert.Single(box.Of("handshake"));
    }

    /// <summary>Without the change they would all be taken.</summary>
    [Fact]
    public async Task Subscription_WithoutAnythingWrong_IsTaken() => (await server.PostAsync("Subscription", Make())).Is(HttpStatusCode.Created);

    /// <summary>Every route is checked: https://hl7.org/fhir/R4/http.html#transaction, https://hl7.org/fhir/R4/http.html#upsert.</summary>
    [Fact]
    public async Task EveryRoute_ChecksTheSame()
    {
        var id = "wrong-" + Guid.NewGuid().ToString("N")[..12];
        var wrong = Make();
        wrong["criteria"] = "http://example.org/topics/none";
        wrong["id"] = id;
        (await server.PutAsync($"Subscription/{id}", wrong.DeepClone())).Refused(HttpStatusCode.UnprocessableEntity);
        var bundle = new JsonObject
        {
            ["resourceType"] = "Bundle",
            ["type"] = "transaction",
            ["entry"] = new JsonArray(
                new JsonObject { ["resource"] = new JsonObject { ["resourceType"] = "Patient", ["id"] = id }, ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"Patient/{id}" } },
                new JsonObject { ["resource"] = wrong.DeepClone(), ["request"] = new JsonObject { ["method"] = "POST", ["url"] = "Subscription" } }),
        };
        var refused = (await server.PostAsync("", bundle)).Refused(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("Bundle.entry[1].resource.criteria", (string?)refused.Body!["issue"]![0]!["expression"]![0]);
        (await server.GetAsync($"Patient/{id}")).Refused(HttpStatusCode.NotFound);
    }

    /// <summary>https://hl7.org/fhir/R4/subscription-definitions.html#Subscription.status: a client submits requested or off; active and error are the server's.</summary>
    [Theory]
    [InlineData("active", "requested")]
    [InlineData("error", "requested")]
    [InlineData("requested", "requested")]
    [InlineData("off", "off")]
    public async Task StatusAndError_AreTheServersOwn(string sent, string stored)
    {
        var subscription = Make();
        subscription["status"] = sent;
        subscription["error"] = "made up";
        var created = (await server.PostAsync("Subscription", subscription)).Is(HttpStatusCode.Created);

        Assert.Equal(stored, (string?)created.Body!["status"]);
        Assert.Null(created.Body["error"]);
    }

    private static JsonObject Make() => Subscribing.ByTopic(Subscribing.AppointmentTopic, SubscriberHost.Instance.Open().Address, "id-only");

    private static JsonObject Plain(JsonObject subscription)
    {
        subscription["channel"]!.AsObject().Remove("_payload");
        return subscription;
    }

    private static void Filter(JsonObject subscription, params string[] filters) =>
        subscription["_criteria"] = Subscribing.Extended([.. filters.Select(filter => ("filter-criteria", "valueString", (JsonNode)filter))]);

    private static JsonObject CustomChannel(string system, string code) => new()
    {
        ["extension"] = new JsonArray(new JsonObject { ["url"] = Subscribing.Extension + "channel-type", ["valueCoding"] = new JsonObject { ["system"] = system, ["code"] = code } }),
    };
}
