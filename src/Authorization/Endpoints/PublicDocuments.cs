using Authorization.Discovery;
using Authorization.Keys;
using Authorization.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Authorization.Endpoints;

/// <summary>What anybody may know of the issuer: its keys, what it can do, and whose it is.</summary>
internal sealed class PublicDocuments(ServerKeys keys, PublicAddresses addresses, IOptions<AuthOptions> options, TimeProvider clock)
{
    private readonly byte[] _configuration = OpenIdConfiguration.Write(addresses, options.Value);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet($"{PublicAddresses.LocalPath}/jwks", context => WriteAsync(context, PublicKeySet.Write(keys.Published)));
        routes.MapGet(PublicAddresses.LocalPath + OpenIdConfiguration.Path, context => WriteAsync(context, _configuration));
        if (options.Value.Brand is { IsSet: true } brand)
        {
            var (bundle, tag) = Brands.Write(brand, addresses, clock.GetUtcNow());
            routes.MapGet($"{PublicAddresses.LocalPath}/brands", context => WriteBrandsAsync(context, bundle, tag));
        }
    }

    private static Task WriteBrandsAsync(HttpContext context, byte[] bundle, string tag)
    {
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch == tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        return WriteAsync(context, bundle, Brands.ContentType);
    }

    private static async Task WriteAsync(HttpContext context, byte[] json, string contentType = "application/json")
    {
        context.Response.ContentType = contentType;
        context.Response.Headers.CacheControl = $"public, max-age={(int)PublicKeySet.MaxAge.TotalSeconds}";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }
}
