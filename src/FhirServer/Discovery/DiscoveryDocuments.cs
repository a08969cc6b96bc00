using System.Collections.Concurrent;
using FhirCore;
using FhirServer.Http;
using FhirServer.Settings;

namespace FhirServer.Discovery;

/// <summary>
/// What anybody may know: <c>metadata</c> and <c>.well-known/smart-configuration</c>, for any origin. Each document is made once per
/// base and then served as bytes.
/// </summary>
internal sealed class DiscoveryDocuments(TimeProvider clock, DiscoverySources sources)
{
    private readonly DateTimeOffset _started = clock.GetUtcNow();
    private readonly ConcurrentDictionary<string, byte[]> _statements = new(StringComparer.Ordinal);

    public Task WriteAsync(HttpContext context, FhirBase @base, FhirRoute route)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlExposeHeaders = "ETag, Location, Content-Location, Last-Modified";
        switch (context.Request.Method)
        {
            case "OPTIONS":
                headers.AccessControlAllowMethods = "GET, HEAD, OPTIONS";
                headers.AccessControlAllowHeaders = "Accept, Content-Type, Authorization";
                headers.AccessControlMaxAge = "86400";
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                return Task.CompletedTask;
            case "GET" or "HEAD":
                return route.Kind == RouteKind.Metadata ? WriteStatementAsync(context, @base) : WriteSmartAsync(context);
            default:
                return ResponseWriter.WriteAsync(context, FhirReply.MethodNotAllowed(context.Request.Method, "GET, HEAD, OPTIONS"));
        }
    }

    /// <summary>The statement, made ahead of the first request for it.</summary>
    public ReadOnlyMemory<byte> Statement(FhirBase @base) =>
        _statements.GetOrAdd(@base.Path, _ => CapabilityStatement.Write(@base, _started, sources));

    private Task WriteStatementAsync(HttpContext context, FhirBase @base)
    {
        if (!QueryParameters.Parse(context.Request.QueryString.Value ?? "").TryGet(out var query, out var failure))
        {
            return ResponseWriter.RefuseAsync(context, failure);
        }
        if (Negotiation.CheckAccept(context.Request.Headers.Accept.ToString(), query.First("_format")) is { } notAcceptable)
        {
            return ResponseWriter.RefuseAsync(context, notAcceptable);
        }
        return ResponseWriter.WriteAsync(context, new() { Status = 200, Body = Statement(@base), LastModified = _started }, query.First("_pretty") is "true");
    }

    private Task WriteSmartAsync(HttpContext context)
    {
        var body = sources.SmartConfiguration;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "public, max-age=300";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }
}
