using System.Globalization;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirStore.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace FhirServer.Bundles;

/// <summary>The answers to a Bundle, entry by entry.</summary>
internal static class ResponseBundle
{
    public static FhirReply Write(FhirBase @base, string type, IReadOnlyList<IncomingEntry> entries, FhirReply[] replies)
    {
        var buffer = new JsonBuffer(replies.Sum(reply => reply.Body.Length + 320) + 128);
        var json = buffer.Json;
        json.WriteStartObject();
        json.WriteString("resourceType", "Bundle");
        json.WriteString("type", type);
        if (replies.Length > 0)
        {
            json.WriteStartArray("entry");
            for (var i = 0; i < replies.Length; i++)
            {
                WriteEntry(buffer, @base, entries[i], replies[i]);
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
        return new() { Status = 200, Body = buffer.ToBody() };
    }

    private static void WriteEntry(JsonBuffer buffer, FhirBase @base, IncomingEntry entry, FhirReply reply)
    {
        var json = buffer.Json;
        json.WriteStartObject();
        var isOutcome = reply.Body.Span.StartsWith("{\"resourceType\":\"OperationOutcome\""u8);
        if (!reply.Body.IsEmpty && !isOutcome)
        {
            if (FullUrl(@base, reply) is { } fullUrl)
            {
                json.WriteString("fullUrl", fullUrl);
            }
            buffer.Splice("resource", reply.Body);
        }
        json.WriteStartObject("response");
        json.WriteString("status", Status(reply.Status));
        if (reply.Location is { } location && entry.Request.Method is not ("GET" or "HEAD"))
        {
            json.WriteString("location", location);
        }
        BundleWriting.WriteVersion(json, reply.Version, reply.LastModified);
        if (reply.Failure is { } failure)
        {
            buffer.Splice("outcome", OutcomeJson.Write(failure.Issues));
        }
        else if (isOutcome)
        {
            buffer.Splice("outcome", reply.Body);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Address of the version without its <c>/_history/n</c>.</summary>
    private static string? FullUrl(FhirBase @base, FhirReply reply) =>
        reply.Location is { } location && location.StartsWith(@base.Url, StringComparison.Ordinal) && location.IndexOf("/_history/", StringComparison.Ordinal) is var at and > 0
            ? location[..at]
            : null;

    private static string Status(int status) => status switch
    {
        200 => "200 OK",
        201 => "201 Created",
        204 => "204 No Content",
        _ => string.Create(CultureInfo.InvariantCulture, $"{status} {ReasonPhrases.GetReasonPhrase(status)}"),
    };
}
