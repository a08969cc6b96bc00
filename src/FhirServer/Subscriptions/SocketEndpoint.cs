using FhirCore;
using FhirServer.Http;
using FhirServer.Settings;
using Subscriptions;
using Subscriptions.Sockets;

namespace FhirServer.Subscriptions;

/// <summary>
/// Where websockets are: beside the FHIR base, because a socket is no FHIR interaction. Whoever connects proves who they are by the token they
/// bind it with.
/// </summary>
internal sealed class SocketEndpoint(ServerSettings settings, SocketTools tools, SubscriptionOptions options, IHostApplicationLifetime lifetime)
{
    private const string Suffix = "-websocket";
    private int _open;

    private readonly string _path = settings.BaseUrl.AbsolutePath.TrimEnd('/') + Suffix;

    /// <summary>Sockets that are open.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary><c>https://host/fhir</c> → <c>wss://host/fhir-websocket</c>.</summary>
    public static string UrlOf(Uri baseUrl)
    {
        var url = baseUrl.AbsoluteUri.TrimEnd('/') + Suffix;
        return baseUrl.Scheme == Uri.UriSchemeHttps ? $"wss{url[5..]}" : $"ws{url[4..]}";
    }

    public bool IsHere(string path) => settings.Process.Roles.Api && path == _path;

    /// <summary>Returns when the socket is closed.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await ResponseWriter.RefuseAsync(context, FhirFailure.Of(FailureKind.Invalid, "This address takes websockets only (Upgrade: websocket).", code: "not-supported"));
            return;
        }
        try
        {
            if (Interlocked.Increment(ref _open) > options.MaxSockets)
            {
                await ResponseWriter.RefuseAsync(context, FhirFailure.Of(FailureKind.Unavailable, "This process has as many websockets as it takes (Subscriptions:MaxSockets).") with { RetryAfter = TimeSpan.FromSeconds(10) });
                return;
            }
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            using var session = new SocketSession(tools, socket);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            await session.RunAsync(either.Token);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
