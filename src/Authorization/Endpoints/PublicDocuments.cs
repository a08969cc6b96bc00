using Authorization.Discovery;
using Authorization.Keys;
using Authorization.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Endpoints;

/// <summary>What anybody may know of the issuer: its keys, and what it can do.</summary>
internal sealed class PublicDocuments(ServerKeys keys, PublicAddresses addresses)
{
    private readonly byte[] _configuration = OpenIdConfiguration.Write(addresses);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet($"{PublicAddresses.LocalPath}/jwks", context => WriteAsync(context, PublicKeySet.Write(keys.Published)));
        routes.MapGet(PublicAddresses.LocalPath + OpenIdConfiguration.Path, context => WriteAsync(context, _configuration));
    }

    private static async Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = $"public, max-age={(int)PublicKeySet.MaxAge.TotalSeconds}";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }
}
