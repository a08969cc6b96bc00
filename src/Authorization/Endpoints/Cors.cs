using Microsoft.AspNetCore.Http;

namespace Authorization.Endpoints;

/// <summary>
/// Lets browsers of any origin call the token and key endpoints: neither looks at cookies, so a page gains nothing that its
/// own server could not do.
/// </summary>
internal static class Cors
{
    /// <returns>True when the request was a preflight and is answered.</returns>
    public static bool Handle(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.XContentTypeOptions = "nosniff";
        if (!HttpMethods.IsOptions(context.Request.Method) || context.Request.Headers.AccessControlRequestMethod.Count == 0)
        {
            return false;
        }
        headers.AccessControlAllowMethods = "GET, POST";
        headers.AccessControlAllowHeaders = "Authorization, Content-Type";
        headers.AccessControlMaxAge = "3600";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }
}
