using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Tests.Shared;

namespace Conformance.Tests.Smart;

/// <summary>Where a backend service publishes its keys.</summary>
internal sealed class KeyHost : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private Task _serving = Task.CompletedTask;
    private int _asked;

    public string Address { get; } = $"http://127.0.0.1:{FreePort.Draw()}/jwks.json";

    /// <summary>How often the keys were fetched.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public Task StartAsync(params ClientKey[] keys)
    {
        var body = Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray([.. keys.Select(key => key.Public())]) }.ToJsonString());
        _listener.Prefixes.Add(Address[..(Address.LastIndexOf('/') + 1)]);
        _listener.Start();
        _serving = ServeAsync(body);
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync(byte[] body)
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                Interlocked.Increment(ref _asked);
                context.Response.ContentType = "application/json";
                context.Response.Headers["Cache-Control"] = "max-age=60";
                await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }
}
