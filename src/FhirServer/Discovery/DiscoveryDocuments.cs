using System.Collections.Concurrent;
using FhirCore;
using FhirServer.Http;
using Subscriptions.Topics;

namespace FhirServer.Discovery;

/// <summary>
/// What anybody may know: <c>metadata</c> and <c>.well-known/smart-configuration</c>, for any origin. Each document is made once and then
/// served as bytes.
/// </summary>
internal sealed class DiscoveryDocuments(TimeProvider clock, DiscoverySources sources)
{
    private readonly DateTimeOffset _started = clock.GetUtcNow();
    private readonly ConcurrentDictionary<string, (TopicSet Topics, byte[] Body)> _statements = new(StringComparer.Ordinal);

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

    /// <summary>Made once for a base, and again when there are other topics to subscribe to.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> StatementAsync(FhirBase @base, CancellationToken ct)
    {
        var topics = await sources.ReadTopicsAsync(ct);
        if (!_statements.TryGetValue(@base.Path, out var kept) || !ReferenceEquals(kept.Topics, topics))
        {
            _statements[@base.Path] = kept = (topics, CapabilityStatement.Write(@base, _started, sources, topics));
        }
        return kept.Body;
    }

    private async Task WriteStatementAsync(HttpContext context, FhirBase @base)
    {
        if (!QueryParameters.Parse(context.Request.QueryString.Value ?? "").TryGet(out var query, out var failure))
        {
            await ResponseWriter.RefuseAsync(context, failure);
            return;
        }
        if (Negotiation.CheckAccept(context.Request.Headers.Accept.ToString(), query.First("_format")) is { } notAcceptable)
        {
            await ResponseWriter.RefuseAsync(context, notAcceptable);
            return;
        }
        var body = await StatementAsync(@base, context.RequestAborted);
        await ResponseWriter.WriteAsync(context, new() { Status = 200, Body = body, LastModified = _started }, query.First("_pretty") is "true");
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
