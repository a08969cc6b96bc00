using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Conformance.Tests;
using Tests.Shared;

namespace Browser.Tests;

/// <summary>
/// Somebody else's app: two pages and the library <c>fhirclient</c> as its authors publish it, on an origin of its own. Its launch page
/// takes the settings of <c>FHIR.oauth2.authorize</c> in its query.
/// </summary>
internal sealed class SmartApp : IAsyncDisposable
{
    private static readonly string Library = Path.Combine(
        RunningServer.RepositoryRoot, "tests", "Browser.Tests", "node_modules", "fhirclient", "build", "fhir-client.js");

    private readonly WebApplication _web;

    private SmartApp(WebApplication web, string origin)
    {
        _web = web;
        Origin = origin;
    }

    public string Origin { get; }

    public string LaunchUrl => $"{Origin}/launch.html";

    public string RedirectUri => $"{Origin}/app.html";

    /// <summary>Where no one has asked for the app yet, so that its origin can be registered before the server starts.</summary>
    public static async Task<SmartApp> StartAsync()
    {
        Assert.SkipUnless(File.Exists(Library), "npm package fhirclient is not there: sh tests/Browser.Tests/fetch-fhirclient.sh");
        var origin = $"http://127.0.0.1:{FreePort.Draw()}";
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(origin);
        var web = builder.Build();
        web.Run(context => ServeAsync(context, context.Request.Path.Value switch
        {
            "/launch.html" => (Page("launch.html"), "text/html"),
            "/app.html" => (Page("app.html"), "text/html"),
            "/fhir-client.js" => (Library, "text/javascript"),
            _ => default,
        }));
        await web.StartAsync();
        return new(web, origin);
    }

    public async ValueTask DisposeAsync()
    {
        await _web.StopAsync();
        await _web.DisposeAsync();
    }

    private static string Page(string name) => Path.Combine(AppContext.BaseDirectory, "App", name);

    private static async Task ServeAsync(HttpContext context, (string? File, string Type) found)
    {
        if (found.File is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        context.Response.ContentType = found.Type + "; charset=utf-8";
        await context.Response.SendFileAsync(found.File);
    }
}
