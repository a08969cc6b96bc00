using Authorization.Clients;

namespace FhirServer.Http;

/// <summary>
/// Browsers let pages of registered apps, and no others, read what the FHIR endpoints answer: also refusals, and also where the answer
/// was begun anew.
/// </summary>
internal sealed class FhirCors(ClientOrigins origins)
{
    private const string Methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
    private const string Headers =
        "Authorization, Accept, Content-Type, If-Match, If-None-Match, If-None-Exist, If-Modified-Since, Prefer, Idempotency-Key, X-Provenance, X-Break-Glass, Cache-Control";
    private const string Exposed = "ETag, Location, Content-Location, Last-Modified, WWW-Authenticate, Retry-After";

    private static readonly Func<object, Task> Allow = static state =>
    {
        var (context, origin) = ((HttpContext, string))state;
        context.Response.Headers.AccessControlAllowOrigin = origin;
        context.Response.Headers.AccessControlExposeHeaders = Exposed;
        return Task.CompletedTask;
    };

    private static readonly Func<object, Task> Differs = static state =>
    {
        ((HttpContext)state).Response.Headers.Append("Vary", "Origin");
        return Task.CompletedTask;
    };

    /// <returns>True when the request was a preflight and is answered.</returns>
    public async ValueTask<bool> HandleAsync(HttpContext context)
    {
        if (context.Request.Headers.Origin is not [{ Length: > 0 } origin])
        {
            return false;
        }
        context.Response.OnStarting(Differs, context);
        var isAllowed = await origins.AreRegisteredAsync(origin, context.RequestAborted);
        if (isAllowed)
        {
            context.Response.OnStarting(Allow, (context, origin));
        }
        if (!HttpMethods.IsOptions(context.Request.Method) || context.Request.Headers.AccessControlRequestMethod.Count == 0)
        {
            return false;
        }
        if (isAllowed)
        {
            context.Response.Headers.AccessControlAllowMethods = Methods;
            context.Response.Headers.AccessControlAllowHeaders = Headers;
            context.Response.Headers.AccessControlMaxAge = "3600";
        }
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }
}
