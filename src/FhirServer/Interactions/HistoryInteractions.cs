using System.Globalization;
using Authorization.Access;
using FhirCore;
using FhirServer.Http;
using FhirStore;
using FhirStore.Access;
using FhirStore.Encryption;

namespace FhirServer.Interactions;

/// <summary>history of an instance, a type or the whole system, https://hl7.org/fhir/R4/http.html#history.</summary>
internal sealed class HistoryInteractions(ResourceStore store, DataProtector protector)
{
    private const string PagePurpose = "history-page";
    private const int DefaultCount = 100;
    private const int MostCount = 1000;

    private readonly LimitedHistory _limited = new(store);

    public async ValueTask<FhirReply> HistoryAsync(FhirRequest request, CancellationToken ct)
    {
        if (!ReadParameters(request).TryGet(out var asked, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        if (request.Route.Type is { } type && request.Caller?.Reach(request.Route.Id is null ? Use.Search : Use.Read, type) is { IsEverything: false } reach)
        {
            return await _limited.HistoryAsync(request.Route, reach, asked.Since, asked.Before, asked.Count, ct) is { } within
                ? within.TryGet(out var part, out failure) ? new() { Status = 200, Body = Write(request, asked, part) } : FhirReply.Refused(failure)
                : FhirReply.Refused(NotThere(request));
        }
        var page = await store.HistoryAsync(request.Route.Type, request.Route.Id, asked.Since, asked.Before, asked.Count, ct);
        if (page.Versions.IsEmpty && request.Route.Id is not null && await store.ReadAsync(request.Route.Key, ct) is null)
        {
            return FhirReply.Refused(NotThere(request));
        }
        return new() { Status = 200, Body = Write(request, asked, page) };
    }

    private static FhirFailure NotThere(FhirRequest request) => FhirFailure.Of(FailureKind.NotFound, $"{request.Route.Key} does not exist.");

    private ReadOnlyMemory<byte> Write(FhirRequest request, Asked asked, ResourceHistory page)
    {
        var buffer = new JsonBuffer(page.Versions.Sum(version => version.Json.Length + 512) + 512);
        var json = buffer.Json;
        json.WriteStartObject();
        json.WriteString("resourceType", "Bundle");
        json.WriteString("type", "history");
        WriteLinks(buffer, request, asked, page.Next);
        var open = false;
        foreach (var version in page.Versions)
        {
            if (!open)
            {
                json.WriteStartArray("entry");
                open = true;
            }
            WriteEntry(buffer, request.Base, version);
        }
        if (open)
        {
            json.WriteEndArray();
        }
        json.WriteEndObject();
        return buffer.ToBody();
    }

    private void WriteLinks(JsonBuffer buffer, FhirRequest request, Asked asked, long? next)
    {
        var address = request.Route switch
        {
            { Id: { } id, Type: { } type } => $"{request.Base.Url}/{type}/{id}/_history",
            { Type: { } type } => $"{request.Base.Url}/{type}/_history",
            _ => $"{request.Base.Url}/_history",
        };
        var json = buffer.Json;
        json.WriteStartArray("link");
        BundleWriting.WriteLink(json, "self", address + request.RawQuery);
        if (next is { } before)
        {
            var since = asked.SinceText is null ? "" : $"&_since={Uri.EscapeDataString(asked.SinceText)}";
            BundleWriting.WriteLink(json, "next",
                string.Create(CultureInfo.InvariantCulture, $"{address}?_count={asked.Count}{since}&_page={PageOf(request, before)}"));
        }
        json.WriteEndArray();
    }

    // The number counts everything that was ever written: who sees a part of it is not told how much that is.
    private string PageOf(FhirRequest request, long before) => request.Caller is null
        ? before.ToString(CultureInfo.InvariantCulture)
        : protector.Seal(PagePurpose, BitConverter.GetBytes(before));

    private bool TryReadPage(string text, out long before)
    {
        before = 0;
        if (!protector.TryOpen(PagePurpose, text, out var bytes) || bytes.Length != sizeof(long))
        {
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out before);
        }
        before = BitConverter.ToInt64(bytes);
        return true;
    }

    private static void WriteEntry(JsonBuffer buffer, FhirBase @base, StoredResource version)
    {
        var json = buffer.Json;
        var address = version.Key.ToString();
        json.WriteStartObject();
        json.WriteString("fullUrl", $"{@base.Url}/{address}");
        if (!version.Deleted)
        {
            buffer.Splice("resource", version.Json);
        }
        var created = version.Version == 1;
        json.WriteStartObject("request");
        json.WriteString("method", version.Deleted ? "DELETE" : created ? "POST" : "PUT");
        json.WriteString("url", created && !version.Deleted ? version.Key.Type : address);
        json.WriteEndObject();
        json.WriteStartObject("response");
        json.WriteString("status", version.Deleted ? "204 No Content" : created ? "201 Created" : "200 OK");
        BundleWriting.WriteVersion(json, version.Version, version.LastUpdated);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private Outcome<Asked> ReadParameters(FhirRequest request)
    {
        var asked = new Asked(DefaultCount, null, null, null);
        foreach (var (name, value) in request.Query)
        {
            if (value.Length == 0)
            {
                continue;
            }
            switch (name)
            {
                case "_count":
                    if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                    {
                        return Bad("_count is a whole number from 1.");
                    }
                    asked = asked with { Count = (int)Math.Clamp(count, 1, MostCount) };
                    break;
                case "_since":
                    if (!HttpDates.TryParseFhir(value, out var since))
                    {
                        return Bad("_since is an instant, such as 2026-01-31T09:00:00Z.");
                    }
                    asked = asked with { Since = since, SinceText = value.Replace(' ', '+') };
                    break;
                case "_page":
                    if (!TryReadPage(value, out var before))
                    {
                        return Bad("_page is taken from a next link as it is.");
                    }
                    asked = asked with { Before = before };
                    break;
                case "_format" or "_pretty":
                    break;
                case "_at" or "_list" or "_sort" or "_summary" or "_elements":
                    return FhirFailure.Of(FailureKind.Invalid, $"{name} is not offered on history yet.", code: "not-supported");
                default:
                    if (request.Prefer.Strict)
                    {
                        return FhirFailure.Of(FailureKind.Invalid, "History takes _count, _since, _format and _pretty.", code: "not-supported");
                    }
                    break;
            }
        }
        return asked;
    }

    private static FhirFailure Bad(string why) => FhirFailure.Of(FailureKind.Invalid, why, code: "value");

    private sealed record Asked(int Count, DateTimeOffset? Since, string? SinceText, long? Before);
}
