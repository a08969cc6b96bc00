using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bench;

/// <summary>
/// The least that Kestrel can do for the same exchange: take the request whole, give the bytes that were put there. What a server
/// costs beyond this is its own.
/// </summary>
internal static class BareEndpoint
{
    public static async Task RunAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}").ConfigureKestrel(kestrel => kestrel.AddServerHeader = false)
            .UseSockets(transport => transport.UnsafePreferInlineScheduling = true); // as the server has it
        var app = builder.Build();
        var answers = new ConcurrentDictionary<string, (int Status, byte[] Body)>(StringComparer.Ordinal);
        app.Run(async context =>
        {
            var path = context.Request.Path.Value!;
            if (HttpMethods.IsPut(context.Request.Method) && context.Request.Headers.TryGetValue("X-Status", out var status))
            {
                using var copy = new MemoryStream();
                await context.Request.Body.CopyToAsync(copy);
                answers[path] = (int.Parse(status.ToString(), CultureInfo.InvariantCulture), copy.ToArray());
                return;
            }
            if (context.Request.ContentLength > 0)
            {
                await DrainAsync(context.Request);
            }
            if (!answers.TryGetValue(path, out var answer))
            {
                return; // asked whether it listens
            }
            context.Response.StatusCode = answer.Status;
            context.Response.ContentType = "application/fhir+json;charset=utf-8";
            context.Response.ContentLength = answer.Body.Length;
            await context.Response.BodyWriter.WriteAsync(answer.Body);
        });
        await app.RunAsync();
    }

    private static async ValueTask DrainAsync(HttpRequest request)
    {
        while (true)
        {
            var read = await request.BodyReader.ReadAsync();
            request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }
}
