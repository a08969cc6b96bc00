using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>Makes Subscriptions, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html.</summary>
public static class Subscribing
{
    public const string Extension = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-";
    public const string AppointmentTopic = "urn:fhir-server:topic:appointment";
    public const string PatientTopic = "urn:fhir-server:topic:patient-record";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static JsonObject ByTopic(string topic, string endpoint, string content, params string[] filters)
    {
        var subscription = new JsonObject
        {
            ["resourceType"] = "Subscription",
            ["status"] = "requested",
            ["reason"] = "Conformance test",
            ["criteria"] = topic,
            ["channel"] = new JsonObject
            {
                ["type"] = "rest-hook",
                ["endpoint"] = endpoint,
                ["payload"] = "application/fhir+json",
                ["_payload"] = Extended(("payload-content", "valueCode", content)),
            },
        };
        if (filters.Length > 0)
        {
            subscription["_criteria"] = Extended([.. filters.Select(filter => ("filter-criteria", "valueString", (JsonNode)filter))]);
        }
        return subscription;
    }

    public static JsonObject ByCriteria(string criteria, string endpoint, string? payload = null)
    {
        var channel = new JsonObject { ["type"] = "rest-hook", ["endpoint"] = endpoint };
        if (payload is not null)
        {
            channel["payload"] = payload;
        }
        return new() { ["resourceType"] = "Subscription", ["status"] = "requested", ["reason"] = "Conformance test", ["criteria"] = criteria, ["channel"] = channel };
    }

    /// <summary>Adds extensions of the backport to the channel.</summary>
    public static JsonObject With(this JsonObject subscription, params (string Name, string Type, JsonNode Value)[] extensions)
    {
        subscription["channel"]!["extension"] = Extended(extensions)["extension"]!.DeepClone();
        return subscription;
    }

    public static JsonObject Channel(this JsonObject subscription, string element, JsonNode? value)
    {
        subscription["channel"]![element] = value;
        return subscription;
    }

    public static JsonObject Extended(params (string Name, string Type, JsonNode Value)[] extensions) => new()
    {
        ["extension"] = new JsonArray([.. extensions.Select(extension => (JsonNode)new JsonObject { ["url"] = Extension + extension.Name, [extension.Type] = extension.Value })]),
    };

    /// <summary>Stores it, and waits until the server has made it active.</summary>
    /// <returns>Its id.</returns>
    public static async Task<string> SubscribeAsync(this ServerUnderTest server, JsonObject subscription)
    {
        var created = (await server.PostAsync("Subscription", subscription)).Is(HttpStatusCode.Created);
        await server.StatusIsAsync(created.Id, "active");
        return created.Id;
    }

    /// <summary>Waits until the Subscription has that status.</summary>
    public static Task<JsonNode> StatusIsAsync(this ServerUnderTest server, string id, string status) => StatusIsAsync(server.Http, id, status);

    public static async Task<JsonNode> StatusIsAsync(HttpClient http, string id, string status)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var read = (await ServerUnderTest.SendAsync(http, HttpMethod.Get, $"Subscription/{id}", null)).Is(HttpStatusCode.OK).Body!;
            if ((string?)read["status"] == status)
            {
                return read;
            }
            Assert.False(limit.IsCancellationRequested, $"The Subscription does not become {status}: {read}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>Waits until the server has counted that many events.</summary>
    public static async Task<JsonNode> CountedAsync(this ServerUnderTest server, string id, long events)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var status = (await server.GetAsync($"Subscription/{id}/$status")).Is(HttpStatusCode.OK).Body!;
            if (Notice.TotalOf(status) >= events)
            {
                return status;
            }
            Assert.False(limit.IsCancellationRequested, $"{events} events are not counted: {status}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>A patient of a test's own.</summary>
    /// <returns><c>Patient/id</c>.</returns>
    public static async Task<string> AdmitAsync(this ServerUnderTest server)
    {
        var id = "sub-" + Guid.NewGuid().ToString("N")[..20];
        (await server.PutAsync($"Patient/{id}", new JsonObject { ["resourceType"] = "Patient", ["id"] = id, ["active"] = true })).Is(HttpStatusCode.Created);
        return $"Patient/{id}";
    }

    public static JsonObject Observation(string patient, string code = "a") => new()
    {
        ["resourceType"] = "Observation",
        ["status"] = "final",
        ["code"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = "urn:conformance", ["code"] = code }) },
        ["subject"] = new JsonObject { ["reference"] = patient },
    };

    /// <returns><c>Observation/id</c>.</returns>
    public static async Task<string> ObserveAsync(this ServerUnderTest server, string patient, string code = "a") =>
        $"Observation/{(await server.PostAsync("Observation", Observation(patient, code))).Is(HttpStatusCode.Created).Id}";
}
