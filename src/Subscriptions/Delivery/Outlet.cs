using System.Globalization;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Sealed;
using Subscriptions.Channels;
using Subscriptions.Definitions;
using Subscriptions.Feeds;

namespace Subscriptions.Delivery;

/// <summary>
/// Delivers one subscription: one notification after another, in order, each followed by a record of how far it has come before the next
/// is sent. So who dies in between repeats one notification at most.
/// </summary>
internal sealed class Outlet
{
    private const int MostRefusals = 6;
    private const int MostSetAside = 3;
    private const int DeadLettersKept = 20;
    private static readonly TimeSpan FirstTrouble = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestTrouble = TimeSpan.FromMinutes(1);

    private readonly OutletTools _tools;
    private readonly OutletInbox _inbox;
    private readonly ResourceKey _key;

    // What follows belongs to the loop.
    private string? _feedId;
    private long _version;
    private SubscriptionDefinition? _definition;
    private Subscriber _subscriber = new();
    private DeliveryState _state = new();
    private long _stateVersion;
    private bool _stale = true;
    private int _most;
    private DateTimeOffset _lastSent;
    private DateTimeOffset _accessSeen;

    public Outlet(OutletTools tools, Feed feed)
    {
        _tools = tools;
        _inbox = new(feed);
        _key = new("Subscription", feed.Subscription);
        _most = tools.Options.MaxBatch;
        _lastSent = _accessSeen = Now;
    }

    public OutletInbox Inbox => _inbox;

    /// <summary>Events that are numbered and not delivered, as far as this process knows; 0 where nothing is to be delivered.</summary>
    public long Pending => _definition is { Status: SubscriptionStatus.Active or SubscriptionStatus.Error, Channel: not ChannelKind.WebSocket } ? Math.Max(0, _inbox.Feed.Last - _state.Delivered) : 0;

    private DateTimeOffset Now => _tools.Clock.GetUtcNow();

    public async Task RunAsync(CancellationToken ct)
    {
        var trouble = FirstTrouble;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var heard = _inbox.Next; // before looking
                var feed = _inbox.Feed;
                if (_stale || feed.Id != _feedId || feed.SubscriptionVersion > _version)
                {
                    await LoadAsync(feed, ct);
                }
                var due = _definition is null
                    ? new DueStep(OutletStep.Wait, DateTimeOffset.MaxValue)
                    : OutletPlan.Next(_definition, feed, _state, _tools.Options, Now, _lastSent, _accessSeen, _inbox.Resend is not null);
                if (due.Step == OutletStep.Wait || due.At > Now)
                {
                    await WaitAsync(heard, due.At, ct);
                    continue;
                }
                await DoAsync(due.Step, feed, ct);
                trouble = FirstTrouble;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                if (error is not StoreUnavailableException)
                {
                    _tools.Observer.Faulted(error);
                }
                _stale = true;
                await Task.Delay(trouble, _tools.Clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                trouble = trouble * 2 < LongestTrouble ? trouble * 2 : LongestTrouble;
            }
        }
    }

    private async Task WaitAsync(Task heard, DateTimeOffset until, CancellationToken ct)
    {
        var left = until - Now;
        if (left > TimeSpan.FromDays(1))
        {
            left = TimeSpan.FromDays(1); // timers take no longer, and it is looked at again anyhow
        }
        if (left > TimeSpan.Zero)
        {
            using var early = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(heard, Task.Delay(left, _tools.Clock, early.Token));
            await early.CancelAsync();
            ct.ThrowIfCancellationRequested();
        }
    }

    private async ValueTask LoadAsync(Feed feed, CancellationToken ct)
    {
        _definition = null;
        if (await _tools.Store.ReadAsync(_key, ct) is not { Deleted: false } found)
        {
            (_stale, _version, _feedId) = (false, long.MaxValue, feed.Id); // until it is made again, with another feed
            return;
        }
        using var document = JsonDocument.Parse(found.Json, new() { MaxDepth = 1_000 });
        _subscriber = (await _tools.Own.Subscribers.FindAsync(_key.Id, ct))?.Value ?? new();
        var state = await _tools.Own.Deliveries.FindAsync(feed.Id, ct);
        (_state, _stateVersion) = (state?.Value ?? new(), state?.Version ?? 0);
        (_feedId, _version, _stale) = (feed.Id, found.Version, false);
        if (_tools.Definitions.Read(_key, document.RootElement, await _tools.Directory.ReadAsync(ct)).TryGet(out var definition, out _))
        {
            _definition = definition;
        }
        else if (DefinitionReader.StatusOf(document.RootElement.GetProperty("status").GetString()) is SubscriptionStatus.Requested or SubscriptionStatus.Active)
        {
            await _tools.Statuses.TryWriteAsync(_key, _version, SubscriptionStatus.Error, Problems.TextOf(Problems.TopicGone), ct);
        }
    }

    private Task DoAsync(OutletStep step, Feed feed, CancellationToken ct) => step switch
    {
        OutletStep.CheckAccess => CheckAccessAsync(ct),
        OutletStep.Activate => ActivateAsync(ct),
        OutletStep.Handshake => HandshakeAsync(feed, ct),
        OutletStep.Resend => ResendAsync(feed, ct),
        OutletStep.Events => DeliverAsync(ct),
        OutletStep.Heartbeat => BeatAsync(feed, ct),
        OutletStep.Fail => FailAsync(feed.Fault == FeedFaults.Access ? Problems.AccessEnded : Problems.TopicGone, ct).AsTask(),
        OutletStep.TurnOff => TurnOffAsync(_definition!.End <= Now ? Problems.Ended : Problems.TooLongInError, ct).AsTask(),
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "Say here what the new step does."),
    };

    /// <returns>Null where nothing may be told any more; the subscription is in error then.</returns>
    private async ValueTask<SubscriberStanding?> StandAsync(CancellationToken ct)
    {
        if (_subscriber.Grant is { } grant && (await _tools.Standings.StandAsync(grant, ct)).TryGet(out var standing, out _))
        {
            _accessSeen = Now;
            return standing;
        }
        await FailAsync(Problems.AccessEnded, ct);
        return null;
    }

    private async Task CheckAccessAsync(CancellationToken ct) => await StandAsync(ct);

    private async Task ActivateAsync(CancellationToken ct)
    {
        if (await StandAsync(ct) is not null)
        {
            await BecomeAsync(SubscriptionStatus.Active, null, _state with { FailingSince = null, Attempts = 0, NotBefore = null, Problem = null, ErrorSince = null, Refusals = 0, SetAsideInARow = 0 }, ct);
        }
    }

    private async Task HandshakeAsync(Feed feed, CancellationToken ct)
    {
        if (await StandAsync(ct) is null)
        {
            return;
        }
        var outcome = await SendAsync(feed, NotificationType.Handshake, string.Create(CultureInfo.InvariantCulture, $"{feed.Id}.handshake-{_version}"), [], ct);
        switch (outcome)
        {
            case SendOutcome.Taken:
                _lastSent = Now;
                _tools.Observer.Delivered(ChannelName, 0, TimeSpan.Zero);
                await ActivateAsync(ct);
                break;
            case SendOutcome.Failed failed:
                await FailAsync(failed.Problem, ct); // at the first failure: the client is there and can look
                break;
            case SendOutcome.Gone gone:
                await TurnOffAsync(gone.Problem, ct);
                break;
        }
    }

    private async Task BeatAsync(Feed feed, CancellationToken ct)
    {
        if (await StandAsync(ct) is null)
        {
            return;
        }
        var outcome = await SendAsync(feed, NotificationType.Heartbeat, string.Create(CultureInfo.InvariantCulture, $"{feed.Id}.heartbeat-{Now.ToUnixTimeMilliseconds()}"), [], ct);
        if (outcome is SendOutcome.Taken)
        {
            await SucceededAsync(_state, 0, default, ct);
        }
        else
        {
            await FailedAsync(outcome, ct);
        }
    }

    private async Task DeliverAsync(CancellationToken ct)
    {
        await _tools.Pace.TurnAsync(ct);
        var feed = _inbox.Feed; // what has gathered meanwhile goes along
        var most = Math.Min(_most, Math.Min(_definition!.MaxCount ?? int.MaxValue, _tools.Options.MaxBatch));
        var events = _inbox.Take(_state.Delivered, SizeOf(most))
            ?? await _tools.Teller.ReadAsync(feed.Id, _state.Delivered + 1, feed.Last, SizeOf(most), ct);
        if (events is not [var first, ..] || first.Number > _state.Delivered + 1)
        {
            // What is in between was kept for as long as events are kept.
            var next = events is [var there, ..] ? there.Number - 1 : feed.Last;
            await SetAsideAsync(_state.Delivered + 1, next, "expired", _state, ct);
            return;
        }
        if (await StandAsync(ct) is not { } standing)
        {
            return;
        }
        var told = await _tools.Teller.TellAsync(events, _definition.Content, _definition.Topic, standing.Caller, ct);
        var last = events[^1].Number;
        if (_definition.Topic is null && told[0].IsWithheld)
        {
            await SaveAsync(_state with { Delivered = last }, ct); // R4's own have nothing to say without the resource
            return;
        }
        var outcome = await SendAsync(feed, NotificationType.EventNotification, IdOf(feed, first.Number, last), told, ct);
        switch (outcome)
        {
            case SendOutcome.Taken:
                _most = Math.Min(_most * 2, _tools.Options.MaxBatch);
                await SucceededAsync(_state with { Delivered = last }, events.Count, first.Event.At, ct);
                break;
            case SendOutcome.Failed { IsAboutContent: true } when events.Count > 1:
                _most = events.Count / 2; // until it is known which of them it is
                break;
            case SendOutcome.Failed { IsAboutContent: true, Problem: var problem } when _state.Refusals + 1 >= MostRefusals:
                await SetAsideAsync(last, last, problem, _state with { SetAsideInARow = _state.SetAsideInARow + 1 }, ct);
                break;
            default:
                await FailedAsync(outcome, ct);
                break;
        }
    }

    private async Task ResendAsync(Feed feed, CancellationToken ct)
    {
        var asked = _inbox.Resend!;
        if (asked.Value.Feed == feed.Id && await _tools.Teller.ReadAsync(feed.Id, asked.Value.First, asked.Value.Last, SizeOf(Math.Min(_definition!.MaxCount ?? int.MaxValue, _tools.Options.MaxBatch)), ct) is [var first, ..] events)
        {
            if (await StandAsync(ct) is not { } standing)
            {
                return;
            }
            var told = await _tools.Teller.TellAsync(events, _definition.Content, _definition.Topic, standing.Caller, ct);
            var outcome = await SendAsync(feed, NotificationType.EventNotification, IdOf(feed, first.Number, events[^1].Number), told, ct);
            if (outcome is not (SendOutcome.Taken or SendOutcome.Failed { IsAboutContent: true }))
            {
                await FailedAsync(outcome, ct);
                return;
            }
            await SucceededAsync(_state, events.Count, Now, ct);
            if (events[^1].Number < asked.Value.Last)
            {
                _inbox.Narrow(asked.Value with { First = events[^1].Number + 1 });
                return;
            }
        }
        await _tools.Own.Resends.TryRemoveAsync(asked.Id, asked.Version, ct);
        _inbox.Done(asked.Id);
    }

    /// <summary>R4's own notifications tell of one resource each.</summary>
    private int SizeOf(int most) => _definition!.Topic is null ? 1 : Math.Max(1, most);

    private Task<SendOutcome> SendAsync(Feed feed, NotificationType type, string id, IReadOnlyList<ToldEvent> told, CancellationToken ct)
    {
        var definition = _definition!;
        var bundle = definition.Topic is null ? (ReadOnlyMemory<byte>?)null : _tools.Bundles.Write(new()
        {
            Type = type,
            Subscription = _key.Id,
            Status = definition.Status,
            Topic = definition.Criteria,
            Content = definition.Content,
            Total = feed.Last,
            Events = told,
            Id = id,
        });
        var resource = definition is { Topic: null, Payload: not null } && told.Count > 0 ? told[0].Resource : null;
        return _tools.SendAsync(new(id, type, definition, _subscriber, bundle, resource, told.Count), _state.FailingSince is not null, ct);
    }

    private async ValueTask SucceededAsync(DeliveryState then, int events, DateTimeOffset oldest, CancellationToken ct)
    {
        _lastSent = Now;
        _tools.Observer.Delivered(ChannelName, events, events == 0 ? TimeSpan.Zero : _lastSent - oldest);
        await SaveAsync(then with { FailingSince = null, Attempts = 0, NotBefore = null, Problem = null, Refusals = 0, SetAsideInARow = events > 0 ? 0 : then.SetAsideInARow }, ct);
    }

    private async ValueTask FailedAsync(SendOutcome outcome, CancellationToken ct)
    {
        if (outcome is SendOutcome.Gone gone)
        {
            await TurnOffAsync(gone.Problem, ct);
            return;
        }
        var failed = (SendOutcome.Failed)outcome;
        var (now, attempts, since) = (Now, _state.Attempts + 1, _state.FailingSince ?? Now);
        var asked = failed.After > _tools.Options.LongestRetry ? _tools.Options.LongestRetry : failed.After;
        if (now - since >= _tools.Options.RetryFor)
        {
            await FailAsync(failed.Problem, ct);
            return;
        }
        _tools.Observer.Failed(ChannelName, failed.Problem, final: false);
        await SaveAsync(_state with
        {
            FailingSince = since,
            Attempts = attempts,
            Problem = failed.Problem,
            NotBefore = now + Backoff.After(attempts, asked, _tools.Options, Random.Shared.NextDouble()),
            Refusals = failed.IsAboutContent ? _state.Refusals + 1 : 0,
        }, ct);
    }

    private async ValueTask SetAsideAsync(long first, long last, string problem, DeliveryState state, CancellationToken ct)
    {
        _tools.Observer.SetAside(ChannelName, (int)Math.Min(int.MaxValue, last - first + 1));
        var letters = state.DeadLetters.Append(new(first, last, problem, Now)).TakeLast(DeadLettersKept).ToArray();
        await SaveAsync(state with { Delivered = last, DeadLetters = letters, FailingSince = null, Attempts = 0, NotBefore = null, Refusals = 0 }, ct);
        if (state.SetAsideInARow >= MostSetAside)
        {
            await FailAsync(Problems.ContentRefused, ct);
        }
    }

    private async ValueTask FailAsync(string problem, CancellationToken ct)
    {
        _tools.Observer.Failed(ChannelName, problem, final: true);
        await BecomeAsync(SubscriptionStatus.Error, problem, _state with { Problem = problem, FailingSince = null, Attempts = 0, NotBefore = null, ErrorSince = Now, Refusals = 0, SetAsideInARow = 0 }, ct);
    }

    private async ValueTask TurnOffAsync(string problem, CancellationToken ct) =>
        await BecomeAsync(SubscriptionStatus.Off, problem, _state with { Problem = problem, FailingSince = null, Attempts = 0, NotBefore = null, ErrorSince = null }, ct);

    private async ValueTask BecomeAsync(SubscriptionStatus status, string? problem, DeliveryState then, CancellationToken ct)
    {
        await SaveAsync(then, ct);
        if (await _tools.Statuses.TryWriteAsync(_key, _version, status, problem is null ? null : Problems.TextOf(problem), ct) is { } version)
        {
            (_version, _definition) = (version, _definition! with { Status = status });
        }
        else
        {
            _stale = true; // the client was faster: what it wants counts
        }
    }

    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    private async ValueTask SaveAsync(DeliveryState then, CancellationToken ct)
    {
        if (then == _state)
        {
            return;
        }
        if (!await _tools.Own.Deliveries.TryWriteAsync(_feedId!, then, _stateVersion, null, ct))
        {
            throw new OutletLostException(); // another process delivers: look again
        }
        (_state, _stateVersion) = (then, _stateVersion + 1);
    }

    private string ChannelName => _definition?.Channel.Code() ?? "none";

    private static string IdOf(Feed feed, long first, long last) => string.Create(CultureInfo.InvariantCulture, $"{feed.Id}.{first}-{last}");

    private sealed class OutletLostException() : Exception("How far the subscription is delivered stands elsewhere.");
}
