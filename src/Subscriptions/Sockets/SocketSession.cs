using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using FhirCore;
using FhirCore.Records;
using FhirStore.Json;
using FhirStore.Sealed;

namespace Subscriptions.Sockets;

/// <summary>
/// One websocket, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#websockets: <c>bind-with-token</c> and a token of
/// <c>$get-ws-binding-token</c> bind it to subscriptions, as often as its client likes. Whoever holds a socket has proved nothing until then.
/// </summary>
public sealed class SocketSession(SocketTools tools, WebSocket socket) : IDisposable
{
    private const string BindCommand = "bind-with-token ";
    private const int LongestMessage = 4_096;
    private const int MostBound = 100;

    /// <summary>Nobody may hold a socket for nothing.</summary>
    private static readonly TimeSpan UnboundLimit = TimeSpan.FromSeconds(30);

    /// <summary>Whoever does not read does not get anything.</summary>
    private static readonly TimeSpan SendLimit = TimeSpan.FromSeconds(30);

    /// <summary>The other side has this long to say goodbye too.</summary>
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<string, (CancellationTokenSource End, Task Loop)> _bound = new(StringComparer.Ordinal);

    public void Dispose()
    {
        _sending.Dispose();
        _end.Dispose();
    }

    /// <summary>Returns when the socket is closed, by whichever side.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, _end.Token);
        using var unbound = new CancellationTokenSource(UnboundLimit, tools.Clock);
        try
        {
            var buffer = new byte[LongestMessage];
            while (socket.State == WebSocketState.Open)
            {
                using var reading = CancellationTokenSource.CreateLinkedTokenSource(end.Token, unbound.Token);
                if (await ReadAsync(buffer, reading.Token) is not { } message)
                {
                    break;
                }
                if (await BindAsync(message, end.Token) is { } refusal)
                {
                    await SendAsync(OutcomeJson.Write(refusal.Issues), end.Token);
                    await CloseAsync(WebSocketCloseStatus.PolicyViolation, "not bound");
                    break;
                }
                unbound.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }
        catch (OperationCanceledException)
        {
            await CloseAsync(ct.IsCancellationRequested ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.PolicyViolation, ct.IsCancellationRequested ? "the server stops" : "not bound in time");
        }
        catch (WebSocketException)
        {
            // The other side is gone.
        }
        finally
        {
            await end.CancelAsync();
            foreach (var (_, bound) in _bound)
            {
                await bound.End.CancelAsync();
                await bound.Loop;
                bound.End.Dispose();
            }
        }
    }

    /// <returns>Null when it was closed.</returns>
    private async ValueTask<string?> ReadAsync(byte[] buffer, CancellationToken ct)
    {
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), ct);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await CloseAsync(WebSocketCloseStatus.NormalClosure, null);
                return null;
            }
            length += part.Count;
            if (part.EndOfMessage)
            {
                return Encoding.UTF8.GetString(buffer, 0, length);
            }
            if (length == buffer.Length)
            {
                await CloseAsync(WebSocketCloseStatus.MessageTooBig, null);
                return null;
            }
        }
    }

    /// <returns>Null when it is bound.</returns>
    private async ValueTask<FhirFailure?> BindAsync(string message, CancellationToken ct)
    {
        if (!message.StartsWith(BindCommand, StringComparison.Ordinal))
        {
            return FhirFailure.Of(FailureKind.Invalid, "The only message taken here is 'bind-with-token' and a token of $get-ws-binding-token.", code: "not-supported");
        }
        var id = SecretId.Of(tools.Own.BindingKey, message[BindCommand.Length..].Trim());
        if (await tools.Own.Bindings.FindAsync(id, ct) is not { } binding || binding.Value.Ends <= tools.Clock.GetUtcNow() || !await tools.Own.Bindings.TryRemoveAsync(id, binding.Version, ct))
        {
            return FhirFailure.Of(FailureKind.Unauthenticated, "The token is not one that this server gave, has been used, or is too old. Get another one with $get-ws-binding-token.");
        }
        foreach (var subscription in binding.Value.Subscriptions)
        {
            if (_bound.TryRemove(subscription, out var before))
            {
                await before.End.CancelAsync();
                await before.Loop;
                before.End.Dispose();
            }
            if (_bound.Count >= MostBound)
            {
                return FhirFailure.Of(FailureKind.Invalid, $"A socket is bound to {MostBound} subscriptions at most.", code: "too-costly");
            }
            var own = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var feed = new SocketFeed(tools, subscription, binding.Value.Grant, SendAsync);
            _bound[subscription] = (own, FollowAsync(subscription, feed, own.Token));
        }
        return null;
    }

    private async Task FollowAsync(string subscription, SocketFeed feed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await feed.RunAsync(ct);
                await CloseIfIdleAsync(subscription);
                return;
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), tools.Clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return; // bound anew, or over
            }
            catch (Exception error)
            {
                if (error is not (OperationCanceledException or WebSocketException or ObjectDisposedException))
                {
                    tools.Observer.Faulted(error);
                }
                socket.Abort(); // the client comes back, and sees by the numbers what it has missed
                return;
            }
        }
    }

    /// <summary>Nothing is left to tell.</summary>
    private async ValueTask CloseIfIdleAsync(string subscription)
    {
        if (_bound.All(pair => pair.Key == subscription || pair.Value.Loop.IsCompleted))
        {
            await CloseAsync(WebSocketCloseStatus.NormalClosure, "no subscription is active");
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> text, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(SendLimit, tools.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        await _sending.WaitAsync(either.Token);
        try
        {
            await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, limit.Token); // a message that is broken off takes the socket with it
        }
        finally
        {
            _sending.Release();
        }
    }

    private async ValueTask CloseAsync(WebSocketCloseStatus status, string? why)
    {
        using var limit = new CancellationTokenSource(CloseLimit, tools.Clock);
        _end.CancelAfter(CloseLimit);
        try
        {
            await socket.CloseOutputAsync(status, why, limit.Token);
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or InvalidOperationException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }
}
