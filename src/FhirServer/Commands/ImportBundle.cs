using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FhirCore;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Writing;

namespace FhirServer.Commands;

/// <summary>What a transaction Bundle asks for, https://hl7.org/fhir/R4/http.html#transaction.</summary>
internal static class ImportBundle
{
    public static Outcome<ImmutableArray<WriteRequest>> Requests(ParsedResource bundle)
    {
        if (bundle.Root.TryGetProperty("type", out var type) && !type.ValueEquals("transaction"u8))
        {
            return FhirFailure.Of(FailureKind.Invalid, "Only transaction Bundles can be imported; put other resources into NDJSON.", "Bundle.type");
        }
        if (!bundle.Root.TryGetProperty("entry", out var entries))
        {
            return FhirFailure.Of(FailureKind.Invalid, "The Bundle has no entries.", "Bundle.entry");
        }
        var requests = ImmutableArray.CreateBuilder<WriteRequest>(entries.GetArrayLength());
        foreach (var entry in entries.EnumerateArray())
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"Bundle.entry[{requests.Count}]");
            if (!RequestOf(entry, place).TryGet(out var request, out var failure))
            {
                return failure;
            }
            requests.Add(request with { Location = place, Cause = "import", FullUrl = TextOf(entry, "fullUrl") });
        }
        return requests.DrainToImmutable();
    }

    private static Outcome<WriteRequest> RequestOf(JsonElement entry, string place)
    {
        if (!entry.TryGetProperty("request", out var request) || TextOf(request, "method") is not { } method || TextOf(request, "url") is not { } url)
        {
            return FhirFailure.Of(FailureKind.Invalid, "A transaction entry needs request.method and request.url.", $"{place}.request");
        }
        if (!entry.TryGetProperty("resource", out var root) || TextOf(root, "resourceType") is not { } type)
        {
            return FhirFailure.Of(FailureKind.Invalid, "The entry has no resource.", $"{place}.resource");
        }
        var resource = new ParsedResource(type, TextOf(root, "id"), root);
        switch (method)
        {
            case "POST" when url == type:
                return new WriteRequest.Create(resource, QueryText.Parse(TextOf(request, "ifNoneExist")));
            case "PUT" when ResourceKey.TryParse(url, out var key) && key.Type == type:
                return new WriteRequest.Update(key, resource, IfMatch: null);
            case "PUT" when url.StartsWith(type + "?", StringComparison.Ordinal):
                return new WriteRequest.ConditionalUpdate(resource, QueryText.Parse(url.AsSpan(type.Length + 1)), IfMatch: null);
            default:
                return FhirFailure.Of(
                    FailureKind.Invalid, "An import takes POST and PUT entries whose url names the resource's own type.", $"{place}.request");
        }
    }

    private static string? TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
