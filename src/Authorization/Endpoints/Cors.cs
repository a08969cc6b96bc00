using Authorization.Clients;
using Authorization.Server;
using Microsoft.AspNetCore.Http;

namespace Authorization.Endpoints;

/// <summary>
/// Which browsers' pages may call which endpoint. Anyone's may read what is public; the endpoints that take tokens and secrets answer
/// pages of registered apps only; the pages of this server answer no other page at all.
/// </summary>
internal sealed class Cors(ClientOrigins origins)
{
    /// <returns>True when the request was a preflight and is answered.</returns>
    public async ValueTask<bool> HandleAsync(HttpContext context)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        headers.XContentTypeOptions = "nosniff";
        var kind = KindOf(request.Path.Value!);
        if (kind == Kind.Closed)
        {
            return false;
        }
        if (kind == Kind.Public)
        {
            headers.AccessControlAllowOrigin = "*";
        }
        else
        {
            headers.Vary = "Origin";
            if (request.Headers.Origin is [{ Length: > 0 } origin] && await origins.AreRegisteredAsync(origin, context.RequestAborted))
            {
                headers.AccessControlAllowOrigin = origin;
            }
        }
        if (!HttpMethods.IsOptions(request.Method) || request.Headers.AccessControlRequestMethod.Count == 0)
        {
            return false;
        }
        headers.AccessControlAllowMethods = "GET, POST, PUT, DELETE";
        headers.AccessControlAllowHeaders = "Authorization, Content-Type";
        headers.AccessControlMaxAge = "3600";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private static Kind KindOf(string path) => path[PublicAddresses.LocalPath.Length..] switch
    {
        "/jwks" or "/brands" or "/.well-known/openid-configuration" or "/clients" => Kind.Public,
        var below when below.StartsWith("/clients/", StringComparison.Ordinal) => Kind.Public, // by a token of its own, not by a cookie
        "/token" or "/introspect" or "/revoke" or "/launch" => Kind.Apps,
        _ => Kind.Closed,
    };

    private enum Kind
    {
        Closed,
        Public,
        Apps,
    }
}
