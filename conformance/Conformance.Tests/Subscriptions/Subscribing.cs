using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>Makes Subscriptions, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html.</summary>
public static class Subscribing
{
    public const string Extension = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-";
    public const string AppointmentTopic = "urn:fhir-server:topic:appointment";
    public const string PatientTopic = "urn:fhir-server:topic:patient-record";

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

    public static JsonObject Observation(string patient, string code = "a") => new()
    {
        ["resourceType"] = "Observation",
        ["status"] = "final",
        ["code"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = "urn:conformance", ["code"] = code }) },
        ["subject"] = new JsonObject { ["reference"] = patient },
    };
}
