using Microsoft.AspNetCore.Http.Features;

namespace FhirServer.Http;

/// <summary>
/// Ends the connection of a client that is still sending a body nobody will read. Closing at once would reset the connection, and most
/// clients then never see the answer; so the rest is thrown away for a while, without keeping any of it.
/// </summary>
internal static class LingeringClose
{
    private const long MostBytes = 256 << 20;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(HttpContext context)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(Longest);
        try
        {
            await context.Response.CompleteAsync();
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            {
                limit.MaxRequestBodySize = null;
            }
            for (var thrown = 0L; thrown < MostBytes;)
            {
                var read = await context.Request.BodyReader.ReadAsync(patience.Token);
                thrown += read.Buffer.Length;
                context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The client has gone, or takes too long, or the body was too long for Kestrel too.
        }
        context.Abort();
    }
}
