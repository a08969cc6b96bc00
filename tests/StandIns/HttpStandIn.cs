using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StandIns;

/// <summary>A small HTTP server on a loopback port.</summary>
internal sealed class HttpStandIn : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HttpStandIn(WebApplication app) => _app = app;

    /// <summary>Ends in a slash.</summary>
    public Uri Address => new(_app.Urls.First() + "/");

    /// <param name="port">0 draws a free one.</param>
    public static async Task<HttpStandIn> StartAsync(int port, RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new(app);
    }

    /// <summary>Until the other side has had enough.</summary>
    public static async Task BeSilentAsync(HttpContext context)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // It has.
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        try
        {
            await _app.StopAsync(soon.Token);
        }
        catch (OperationCanceledException)
        {
            // Requests that are answered with silence do not end by themselves.
        }
        await _app.DisposeAsync();
    }
}
