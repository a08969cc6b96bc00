using Authorization.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary>The style sheet and scripts of the pages, below <c>/auth/assets/</c>.</summary>
internal static class PageAssets
{
    private static readonly (string Name, string Type)[] All = [("pages.css", "text/css; charset=utf-8"), ("passkeys.js", "text/javascript; charset=utf-8")];

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (name, type) in All)
        {
            var bytes = Read(name);
            routes.MapGet($"{PublicAddresses.LocalPath}/assets/{name}", context =>
            {
                PageHeaders.Set(context.Response, endsAtApps: false);
                context.Response.Headers.CacheControl = "public, max-age=3600";
                context.Response.ContentType = type;
                context.Response.ContentLength = bytes.Length;
                return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
            });
        }
    }

    private static byte[] Read(string name)
    {
        using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream($"assets/{name}")
            ?? throw new InvalidOperationException($"{name} is not in the assembly.");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
