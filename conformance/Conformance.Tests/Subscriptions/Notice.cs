using System.Globalization;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>Looks into notifications, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html.</summary>
public static class Notice
{
    private const string Profile = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-";
    private const string Instant = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$";

    /// <summary>The slices of the status profile, and the type that the value of each has.</summary>
    private static readonly Dictionary<string, string?> Slices = new()
    {
        ["subscription"] = "valueReference", ["topic"] = "valueCanonical", ["status"] = "valueCode", ["type"] = "valueCode", ["events-since-subscription-start"] = "valueString",
        ["notification-event"] = null, ["error"] = "valueCodeableConcept",
    };

    private static readonly Dictionary<string, string?> PartSlices = new()
    {
        ["event-number"] = "valueString", ["timestamp"] = "valueInstant", ["focus"] = "valueReference", ["additional-context"] = "valueReference",
    };

    public static JsonNode? Status(JsonNode? bundle) => bundle?["entry"]?[0]?["resource"];

    /// <summary>The value of a parameter; null where it is absent.</summary>
    public static JsonNode? Parameter(JsonNode? parameters, string name)
    {
        var found = (parameters?["parameter"]?.AsArray() ?? []).FirstOrDefault(parameter => (string?)parameter!["name"] == name)?.AsObject();
        return found?.FirstOrDefault(property => property.Key.StartsWith("value", StringComparison.Ordinal)).Value;
    }

    public static string? TypeOf(JsonNode? bundle) => (string?)Parameter(Status(bundle), "type");

    public static string? StatusOf(JsonNode? bundle) => (string?)Parameter(Status(bundle), "status");

    public static long TotalOf(JsonNode? bundle) => long.Parse((string)Parameter(Status(bundle), "events-since-subscription-start")!, CultureInfo.InvariantCulture);

    public static IReadOnlyList<JsonNode> EventsOf(JsonNode? bundle) => EventsIn(Status(bundle));

    public static JsonNode? Part(JsonNode happened, string name)
    {
        var found = happened["part"]!.AsArray().FirstOrDefault(part => (string?)part!["name"] == name)?.AsObject();
        return found?.FirstOrDefault(property => property.Key.StartsWith("value", StringComparison.Ordinal)).Value;
    }

    public static IEnumerable<long> NumbersOf(JsonNode bundle) =>
        EventsOf(bundle).Select(happened => long.Parse((string)Part(happened, "event-number")!, CultureInfo.InvariantCulture));

    public static IReadOnlyList<string?> FocusOf(JsonNode bundle) => [.. EventsOf(bundle).Select(happened => (string?)Part(happened, "focus")?["reference"])];

    /// <summary>What holds for every notification: a history Bundle whose first entry is a status of this subscription.</summary>
    public static void IsNotification(JsonNode bundle, string subscription, string type, string status)
    {
        Assert.Equal("Bundle", (string?)bundle["resourceType"]);
        Assert.Equal("history", (string?)bundle["type"]);
        var entries = bundle["entry"]!.AsArray();
        Assert.All(entries, entry =>
        {
            Assert.False(string.IsNullOrEmpty((string?)entry!["request"]?["method"]), "Each entry has a request.");
            Assert.False(string.IsNullOrEmpty((string?)entry["request"]?["url"]), "Each entry has a request.");
            Assert.Matches("^[1-5][0-9][0-9]", (string?)entry["response"]?["status"]);
        });
        Assert.Matches(Instant, (string?)bundle["timestamp"]);
        Assert.Contains(Profile + "notification-r4", ProfilesOf(bundle));
        Assert.Equal("GET", (string?)entries[0]!["request"]!["method"]);
        Assert.EndsWith($"Subscription/{subscription}/$status", (string?)entries[0]!["request"]!["url"], StringComparison.Ordinal);
        IsStatus(Status(bundle)!, subscription, type, status);
        Assert.True(type == "query-event" || EventsOf(bundle).Count > 0 == (type == "event-notification"), "A notification of events has some, the others have none.");
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription-status-r4.html</summary>
    public static void IsStatus(JsonNode parameters, string subscription, string type, string status)
    {
        Assert.Equal("Parameters", (string?)parameters["resourceType"]);
        Assert.EndsWith($"Subscription/{subscription}", (string?)One("subscription", "valueReference")["reference"], StringComparison.Ordinal);
        Assert.Equal(status, (string?)One("status", "valueCode"));
        Assert.Equal(type, (string?)One("type", "valueCode"));
        Assert.Matches("^[0-9]+$", (string?)One("events-since-subscription-start", "valueString"));
        Assert.Contains(Profile + "status-r4", ProfilesOf(parameters));
        HasOnly(parameters["parameter"]!, Slices);
        foreach (var happened in EventsIn(parameters))
        {
            HasOnly(happened["part"]!, PartSlices);
            Assert.Matches("^[1-9][0-9]*$", (string?)Part(happened, "event-number"));
            Assert.Matches(Instant, (string?)Part(happened, "timestamp"));
        }

        JsonNode One(string name, string valueType) =>
            Assert.Single(parameters["parameter"]!.AsArray(), parameter => (string?)parameter!["name"] == name)![valueType] ?? throw new InvalidOperationException($"{name} has no {valueType}.");
    }

    private static IReadOnlyList<JsonNode> EventsIn(JsonNode? parameters) =>
        [.. (parameters?["parameter"]?.AsArray() ?? []).Where(parameter => (string?)parameter!["name"] == "notification-event").OfType<JsonNode>()];

    private static IEnumerable<string?> ProfilesOf(JsonNode resource) => (resource["meta"]?["profile"]?.AsArray() ?? []).Select(profile => (string?)profile);

    private static void HasOnly(JsonNode named, Dictionary<string, string?> slices) => Assert.All(named.AsArray(), one =>
    {
        var name = (string)one!["name"]!;
        Assert.Contains(name, slices.Keys);
        Assert.Equal(slices[name] is { } type ? [type] : [], one.AsObject().Select(property => property.Key).Where(key => key.StartsWith("value", StringComparison.Ordinal)));
    });
}
