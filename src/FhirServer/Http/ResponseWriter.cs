using System.Buffers;
using Authorization.Tokens;
using FhirCore;
using FhirStore.Json;
using Microsoft.Extensions.Primitives;

namespace FhirServer.Http;

/// <summary>The one place that turns a reply or a refusal into an HTTP response.</summary>
internal static class ResponseWriter
{
    private static readonly StringValues NoStore = new("no-store");
    private static readonly StringValues NoSniff = new("nosniff");
    private static readonly StringValues FhirJson = new(Negotiation.FhirJson);

    public static Task WriteAsync(HttpContext context, FhirReply reply, bool pretty = false)
    {
        var response = context.Response;
        var headers = response.Headers;
        response.StatusCode = reply.Status;
        headers.CacheControl = NoStore;
        headers.XContentTypeOptions = NoSniff;
        if (reply.Version is { } version)
        {
            headers.ETag = ETags.Of(version);
        }
        if (reply.LastModified is { } lastModified)
        {
            headers.LastModified = HttpDates.Format(lastModified);
        }
        WriteRareHeaders(headers, reply);
        var body = reply.Failure is { } failure ? OutcomeJson.Write(failure.Issues) : reply.Body;
        return WriteBodyAsync(context, pretty && !body.IsEmpty && reply.Media is null ? JsonBuffer.Prettify(body) : body, reply.Media);
    }

    public static Task RefuseAsync(HttpContext context, FhirFailure failure) => WriteAsync(context, FhirReply.Refused(failure));

    /// <summary>A fault of ours: nothing but a trace id goes out.</summary>
    public static Task FaultAsync(HttpContext context, string diagnostics)
    {
        context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        context.Response.Headers.CacheControl = NoStore;
        context.Response.Headers.XContentTypeOptions = NoSniff;
        return WriteBodyAsync(context, OutcomeJson.Write([new(IssueSeverity.Fatal, "exception", diagnostics)]));
    }

    private static Task WriteBodyAsync(HttpContext context, ReadOnlyMemory<byte> body, MediaType? media = null)
    {
        var response = context.Response;
        if (body.IsEmpty)
        {
            if (response.StatusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified))
            {
                response.ContentLength = 0;
            }
            return Task.CompletedTask;
        }
        response.Headers.ContentType = media is null ? FhirJson : media.ContentType;
        response.ContentLength = body.Length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }
        var write = response.BodyWriter.WriteAsync(body, context.RequestAborted);
        return write.IsCompletedSuccessfully ? Task.CompletedTask : write.AsTask();
    }

    private static void WriteRareHeaders(IHeaderDictionary headers, FhirReply reply)
    {
        if (reply.Location is { } location)
        {
            headers.Location = location;
        }
        if (reply.ContentLocation is { } contentLocation)
        {
            headers.ContentLocation = contentLocation;
        }
        if (reply.Expires is { } expires)
        {
            headers.Expires = HttpDates.Format(expires);
        }
        if (reply.Allow is { } allow)
        {
            headers.Allow = allow;
        }
        if (reply.IsReplay)
        {
            headers["Idempotency-Replayed"] = "true";
        }
        if (reply.Failure is not { } failure)
        {
            return;
        }
        if (failure.RetryAfter is { } retryAfter)
        {
            headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        if (BearerChallenge.Of(failure) is { } challenge)
        {
            headers.WWWAuthenticate = challenge;
        }
    }
}
