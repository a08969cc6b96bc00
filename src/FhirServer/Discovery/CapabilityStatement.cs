using System.Globalization;
using System.Reflection;
using System.Text.Json;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirServer.Operations;
using FhirStore.Model;
using FhirStore.Search;
using Subscriptions;
using Subscriptions.Topics;

namespace FhirServer.Discovery;

/// <summary>
/// The CapabilityStatement, https://hl7.org/fhir/R4/capabilitystatement.html: written from the tables the server itself answers by, so
/// that it cannot promise what is not there.
/// </summary>
internal static class CapabilityStatement
{
    private static readonly (RouteKind Kind, string Method)[] TypeRoutes =
    [
        (RouteKind.Instance, "GET"), (RouteKind.Version, "GET"), (RouteKind.Instance, "PUT"), (RouteKind.Instance, "PATCH"), (RouteKind.Instance, "DELETE"),
        (RouteKind.InstanceHistory, "GET"), (RouteKind.TypeHistory, "GET"), (RouteKind.Type, "POST"), (RouteKind.Type, "GET"),
    ];

    /// <param name="topics">What may be subscribed to.</param>
    public static byte[] Write(FhirBase @base, DateTimeOffset date, DiscoverySources sources, TopicSet topics)
    {
        var buffer = new JsonBuffer(1 << 20);
        var json = buffer.Json;
        json.WriteStartObject();
        json.WriteString("resourceType", "CapabilityStatement");
        json.WriteString("status", "active");
        json.WriteString("date", date.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        json.WriteString("kind", "instance");
        WriteList(json, "instantiates", @base.IsAppState ? "http://hl7.org/fhir/smart-app-launch/CapabilityStatement/smart-app-state-server" : Backport.ServerCapabilities);
        json.WriteStartObject("software");
        json.WriteString("name", "FhirServer");
        json.WriteString("version", typeof(CapabilityStatement).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]);
        json.WriteEndObject();
        json.WriteStartObject("implementation");
        json.WriteString("description", @base.IsAppState ? "What SMART apps keep for themselves" : "FHIR R4 server for appointments");
        json.WriteString("url", @base.Url);
        json.WriteEndObject();
        json.WriteString("fhirVersion", "4.0.1");
        WriteList(json, "format", "application/fhir+json", "json");
        json.WriteStartArray("rest");
        WriteRest(json, @base, sources, topics);
        json.WriteEndArray();
        json.WriteEndObject();
        return buffer.ToBody().ToArray();
    }

    private static void WriteRest(Utf8JsonWriter json, FhirBase @base, DiscoverySources sources, TopicSet topics)
    {
        json.WriteStartObject();
        WriteExtensions(json, Backport.WebSocketCapability, "valueUri", [sources.WebSocketUrl]);
        json.WriteString("mode", "server");
        WriteSecurity(json, sources);
        json.WriteStartArray("resource");
        if (@base.IsAppState)
        {
            WriteAppState(json, sources);
            json.WriteEndArray();
            json.WriteEndObject();
            return;
        }
        foreach (var type in R4Model.ResourceTypes)
        {
            WriteType(json, @base, type, sources, topics);
        }
        json.WriteEndArray();
        WriteInteractions(json, "transaction", "batch", "history-system");
        WriteOperations(json, sources.OperationsOf(@base, null));
        json.WriteEndObject();
    }

    private static void WriteSecurity(Utf8JsonWriter json, DiscoverySources sources)
    {
        json.WriteStartObject("security");
        json.WriteStartArray("extension");
        json.WriteStartObject();
        json.WriteStartArray("extension");
        foreach (var (name, address) in new[]
        {
            ("authorize", sources.AuthorizeEndpoint), ("token", sources.TokenEndpoint), ("introspect", sources.IntrospectionEndpoint),
            ("revoke", sources.RevocationEndpoint), ("manage", sources.AppsPage),
        })
        {
            json.WriteStartObject();
            json.WriteString("url", name);
            json.WriteString("valueUri", address);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("url", "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteBoolean("cors", true); // discovery for any origin, all else for those of registered apps
        json.WriteStartArray("service");
        json.WriteStartObject();
        json.WriteStartArray("coding");
        json.WriteStartObject();
        json.WriteString("system", "http://terminology.hl7.org/CodeSystem/restful-security-service");
        json.WriteString("code", "SMART-on-FHIR");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteType(Utf8JsonWriter json, FhirBase @base, string type, DiscoverySources sources, TopicSet topics)
    {
        json.WriteStartObject();
        if (type == "Subscription")
        {
            WriteExtensions(json, Backport.TopicCapability, "valueCanonical", topics.Offered);
        }
        json.WriteString("type", type);
        json.WriteString("profile", $"http://hl7.org/fhir/StructureDefinition/{type}");
        if (type == "Subscription")
        {
            WriteList(json, "supportedProfile", Backport.SubscriptionProfile);
        }
        WriteInteractions(json, [.. TypeRoutes.Select(route => InteractionTable.Find(route.Kind, route.Method)).Where(InteractionTable.IsOffered).Select(InteractionTable.Code)]);
        json.WriteString("versioning", "versioned-update");
        json.WriteBoolean("readHistory", true);
        json.WriteBoolean("updateCreate", true);
        json.WriteBoolean("conditionalCreate", true);
        json.WriteString("conditionalRead", "full-support");
        json.WriteBoolean("conditionalUpdate", true);
        json.WriteString("conditionalDelete", "single");
        WriteList(json, "referencePolicy", "literal", "logical");
        WriteSearch(json, sources.SearchOf(type));
        WriteOperations(json, sources.OperationsOf(@base, type));
        json.WriteEndObject();
    }

    /// <summary>https://hl7.org/fhir/smart-app-launch/CapabilityStatement-smart-app-state-server.html, and read.</summary>
    private static void WriteAppState(Utf8JsonWriter json, DiscoverySources sources)
    {
        json.WriteStartObject();
        json.WriteString("type", "Basic");
        json.WriteString("profile", "http://hl7.org/fhir/StructureDefinition/Basic");
        WriteList(json, "supportedProfile", "http://hl7.org/fhir/smart-app-launch/StructureDefinition/smart-app-state-basic");
        WriteInteractions(json, "create", "search-type", "read", "update", "delete");
        json.WriteString("versioning", "versioned-update");
        WriteParameters(json, sources.SearchOf("Basic").Parameters.Where(static parameter => parameter.Name is "code" or "subject"));
        json.WriteEndObject();
    }

    private static void WriteSearch(Utf8JsonWriter json, SearchOffer offer)
    {
        if (offer.Includes.Count > 0)
        {
            WriteList(json, "searchInclude", [.. offer.Includes]);
        }
        if (offer.RevIncludes.Count > 0)
        {
            WriteList(json, "searchRevInclude", [.. offer.RevIncludes]);
        }
        WriteParameters(json, offer.Parameters);
    }

    private static void WriteParameters(Utf8JsonWriter json, IEnumerable<SearchParameterInfo> parameters)
    {
        json.WriteStartArray("searchParam");
        foreach (var parameter in parameters)
        {
            json.WriteStartObject();
            json.WriteString("name", parameter.Name);
            if (parameter.Definition.Length > 0)
            {
                json.WriteString("definition", parameter.Definition);
            }
            json.WriteString("type", parameter.Kind.ToString().ToLowerInvariant());
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteOperations(Utf8JsonWriter json, IReadOnlyList<OperationOffer> operations)
    {
        if (operations.Count == 0)
        {
            return;
        }
        json.WriteStartArray("operation");
        foreach (var operation in operations)
        {
            json.WriteStartObject();
            json.WriteString("name", operation.Name);
            json.WriteString("definition", operation.Definition);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteExtensions(Utf8JsonWriter json, string url, string type, IEnumerable<string> values)
    {
        json.WriteStartArray("extension");
        foreach (var value in values)
        {
            json.WriteStartObject();
            json.WriteString("url", url);
            json.WriteString(type, value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteInteractions(Utf8JsonWriter json, params ReadOnlySpan<string> codes)
    {
        json.WriteStartArray("interaction");
        foreach (var code in codes)
        {
            json.WriteStartObject();
            json.WriteString("code", code);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteList(Utf8JsonWriter json, string name, params ReadOnlySpan<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }
}
