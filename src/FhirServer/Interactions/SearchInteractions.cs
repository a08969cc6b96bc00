using System.Collections.Immutable;
using FhirCore;
using FhirServer.Http;
using FhirStore;
using FhirStore.Json;
using FhirStore.Search;

namespace FhirServer.Interactions;

/// <summary>search of one type by GET or POST, https://hl7.org/fhir/R4/http.html#search.</summary>
internal sealed class SearchInteractions(SearchService search)
{
    public async ValueTask<FhirReply> SearchAsync(FhirRequest request, CancellationToken ct)
    {
        return (await search.SearchAsync(Asked(request), ct)).TryGet(out var page, out var failure) ? Answer(request, page) : FhirReply.Refused(failure);
    }

    internal static SearchRequest Asked(FhirRequest request) =>
        new(request.Route.Type!, WithoutFormat(request.Query), request.Prefer.Strict, request.Query.First("_page"), request.Caller);

    internal static FhirReply Answer(FhirRequest request, SearchPage page) => new() { Status = 200, Body = Write(request, request.Route.Type!, page) };

    private static ImmutableArray<KeyValuePair<string, string>> WithoutFormat(ImmutableArray<KeyValuePair<string, string>> query)
    {
        foreach (var pair in query)
        {
            if (pair.Key is "_format" or "_pretty")
            {
                return [.. query.Where(other => other.Key is not ("_format" or "_pretty"))];
            }
        }
        return query;
    }

    private static ReadOnlyMemory<byte> Write(FhirRequest request, string type, SearchPage page)
    {
        var buffer = new JsonBuffer(Size(page.Matches) + Size(page.Included) + 1024);
        var json = buffer.Json;
        json.WriteStartObject();
        json.WriteString("resourceType", "Bundle");
        json.WriteString("type", "searchset");
        if (page.Total is { } total)
        {
            json.WriteNumber("total", total);
        }
        json.WriteStartArray("link");
        BundleWriting.WriteLink(json, "self", $"{request.Base.Url}/{type}{SelfQuery(request)}");
        if (page.Next is { } next)
        {
            BundleWriting.WriteLink(json, "next", $"{request.Base.Url}/{type}?_page={Uri.EscapeDataString(next)}");
        }
        json.WriteEndArray();
        if (!page.Matches.IsEmpty || !page.Included.IsEmpty || !page.Notes.IsEmpty)
        {
            json.WriteStartArray("entry");
            foreach (var match in page.Matches)
            {
                WriteEntry(buffer, request.Base, match, "match");
            }
            foreach (var resource in page.Included)
            {
                WriteEntry(buffer, request.Base, resource, "include");
            }
            WriteNotes(buffer, page.Notes);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        return buffer.ToBody();
    }

    private static void WriteNotes(JsonBuffer buffer, ImmutableArray<Issue> notes)
    {
        if (notes.IsEmpty)
        {
            return;
        }
        var json = buffer.Json;
        json.WriteStartObject();
        buffer.Splice("resource", OutcomeJson.Write(notes));
        json.WriteStartObject("search");
        json.WriteString("mode", "outcome");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteEntry(JsonBuffer buffer, FhirBase @base, StoredResource resource, string mode)
    {
        var json = buffer.Json;
        json.WriteStartObject();
        json.WriteString("fullUrl", string.Concat(@base.Url, "/", resource.Key.ToString()));
        buffer.Splice("resource", resource.Json);
        json.WriteStartObject("search");
        json.WriteString("mode", mode);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>GET gives its own query back as it came; a form is written as the query it stands for.</summary>
    private static string SelfQuery(FhirRequest request) =>
        request.Route.Kind == RouteKind.TypeSearch ? QueryParameters.Format(request.Query) : request.RawQuery;

    private static int Size(ImmutableArray<StoredResource> resources)
    {
        var size = 0;
        foreach (var resource in resources)
        {
            size += resource.Json.Length + 160;
        }
        return size;
    }
}
