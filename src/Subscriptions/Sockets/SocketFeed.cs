using System.Globalization;
using System.Text;
using System.Text.Json;
using FhirCore;
using FhirStore.Access;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;

namespace Subscriptions.Sockets;

/// <summary>
/// One subscription on one socket: a handshake, then every event from there on. What came before is had with <c>$events</c>; the numbers
/// tell whether there is any. R4's own subscriptions are told <c>bound</c> and <c>ping</c>, https://hl7.org/fhir/R4/subscription.html.
/// </summary>
internal sealed class SocketFeed(SocketTools tools, string subscription, KeptGrant grant, Func<ReadOnlyMemory<byte>, CancellationToken, Task> send)
{
    private const int MostAtOnce = 100;

    /// <summary>What happens to be lost on its way to a socket is noticed after so long.</summary>
    private static readonly TimeSpan LookAnyway = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _moved = new(0, 1);
    private readonly ResourceKey _key = new("Subscription", subscription);
    private long _cursor = -1;
    private string? _feed;
    private long _version;
    private SubscriptionDefinition? _definition;
    private DateTimeOffset _lastSent;

    /// <summary>Ends when there is nothing more to tell: the subscription is off or gone, or the access that the socket was bound with has ended.</summary>
    /// <returns>Why, for the log of whoever holds the socket.</returns>
    public async Task<string> RunAsync(CancellationToken ct)
    {
        using var watching = tools.Watch.Watch(subscription, Wake);
        while (true)
        {
            var feed = (await tools.Own.Feeds.FindAsync(subscription, ct))?.Value;
            if (await LoadAsync(feed, ct) is { } over)
            {
                return over;
            }
            if (!(await tools.Standings.StandAsync(grant, ct)).TryGet(out var standing, out _))
            {
                return Problems.AccessEnded;
            }
            if (feed is not null && _definition!.Status == SubscriptionStatus.Active)
            {
                await TellAsync(feed, standing.Caller, ct);
            }
            await _moved.WaitAsync(Pause(), ct);
        }
    }

    private void Wake()
    {
        if (_moved.CurrentCount == 0)
        {
            try
            {
                _moved.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else has just woken it.
            }
        }
    }

    private TimeSpan Pause()
    {
        if (_definition?.Heartbeat is not { } period || _cursor < 0)
        {
            return LookAnyway;
        }
        var left = _lastSent + period - tools.Clock.GetUtcNow();
        return left <= TimeSpan.Zero ? TimeSpan.Zero : left < LookAnyway ? left : LookAnyway;
    }

    /// <returns>Null while there is something to tell.</returns>
    private async ValueTask<string?> LoadAsync(Feed? feed, CancellationToken ct)
    {
        if (_definition is not null && feed is not null && feed.SubscriptionVersion == _version)
        {
            return null;
        }
        if (await tools.Store.ReadAsync(_key, ct) is not { Deleted: false } found)
        {
            return "deleted";
        }
        using var document = JsonDocument.Parse(found.Json, new() { MaxDepth = 1_000 });
        if (!tools.Definitions.Read(_key, document.RootElement, await tools.Directory.ReadAsync(ct)).TryGet(out var definition, out _)
            || definition.Status is SubscriptionStatus.Off or SubscriptionStatus.Error || definition.Channel != ChannelKind.WebSocket)
        {
            return "not-active";
        }
        (_definition, _version) = (definition, feed?.SubscriptionVersion ?? 0);
        return null;
    }

    private async ValueTask TellAsync(Feed feed, ICaller? caller, CancellationToken ct)
    {
        if (_cursor < 0 || feed.Id != _feed)
        {
            (_cursor, _feed) = (feed.Last, feed.Id);
            await SendAsync(feed, NotificationType.Handshake, [], ct);
            return;
        }
        while (_cursor < feed.Last)
        {
            await tools.Pace.TurnAsync(ct);
            var most = _definition!.Topic is null ? 1 : Math.Min(_definition.MaxCount ?? MostAtOnce, MostAtOnce);
            var events = await tools.Teller.ReadAsync(feed.Id, _cursor + 1, feed.Last, most, ct);
            if (events.Count == 0)
            {
                return; // not kept any more
            }
            var told = await tools.Teller.TellAsync(events, _definition.Content, _definition.Topic, caller, ct);
            if (_definition.Topic is not null || !told[0].IsWithheld)
            {
                await SendAsync(feed, NotificationType.EventNotification, told, ct);
                tools.Observer.Delivered(ChannelKind.WebSocket.Code(), events.Count, _lastSent - events[0].Event.At);
            }
            _cursor = events[^1].Number;
        }
        if (_definition!.Heartbeat is { } period && tools.Clock.GetUtcNow() - _lastSent >= period)
        {
            await SendAsync(feed, NotificationType.Heartbeat, [], ct);
        }
    }

    private async ValueTask SendAsync(Feed feed, NotificationType type, IReadOnlyList<ToldEvent> told, CancellationToken ct)
    {
        var definition = _definition!;
        _lastSent = tools.Clock.GetUtcNow();
        if (definition.Topic is null)
        {
            await send(Encoding.UTF8.GetBytes(type == NotificationType.Handshake ? $"bound {subscription}" : $"ping {subscription}"), ct);
            return;
        }
        await send(tools.Bundles.Write(new()
        {
            Type = type,
            Subscription = subscription,
            Status = definition.Status,
            Topic = definition.Criteria,
            Content = definition.Content,
            Total = feed.Last,
            Events = told,
            Id = told.Count > 0
                ? string.Create(CultureInfo.InvariantCulture, $"{feed.Id}.{told[0].Number}-{told[^1].Number}")
                : string.Create(CultureInfo.InvariantCulture, $"{feed.Id}.{type.ToString().ToLowerInvariant()}-{_lastSent.ToUnixTimeMilliseconds()}"),
        }), ct);
    }
}
