using Subscriptions.Definitions;
using Subscriptions.Feeds;

namespace Subscriptions.Delivery;

/// <summary>What is to be done for a subscription next.</summary>
public enum OutletStep
{
    /// <summary>Nothing, until something happens.</summary>
    Wait,
    /// <summary>Its access has not been asked for in a while.</summary>
    CheckAccess,
    /// <summary>Make it active without asking anybody: R4's own, and websockets.</summary>
    Activate,
    Handshake,
    Resend,
    Events,
    Heartbeat,
    /// <summary>It cannot be served: its topic or its access is gone.</summary>
    Fail,
    /// <summary>Its time is over.</summary>
    TurnOff,
}

/// <param name="At">Not before; the far future where nothing is due.</param>
public readonly record struct DueStep(OutletStep Step, DateTimeOffset At);

/// <summary>Decides what is due, from values alone.</summary>
internal static class OutletPlan
{
    public static readonly TimeSpan AccessInterval = TimeSpan.FromMinutes(5);

    /// <param name="lastSent">When the last notification of any kind went out.</param>
    /// <param name="accessSeen">When the subscriber's access was last found to stand.</param>
    /// <param name="resends">There are requests to send events again.</param>
    public static DueStep Next(
        SubscriptionDefinition definition, Feed feed, DeliveryState state, SubscriptionOptions options, DateTimeOffset now, DateTimeOffset lastSent, DateTimeOffset accessSeen, bool resends)
    {
        if (definition.Status == SubscriptionStatus.Off)
        {
            return new(OutletStep.Wait, DateTimeOffset.MaxValue);
        }
        if (definition.End <= now)
        {
            return new(OutletStep.TurnOff, now);
        }
        var due = definition.Status switch
        {
            SubscriptionStatus.Error => new(OutletStep.TurnOff, (state.ErrorSince ?? now) + options.ErrorFor),
            _ when feed.Fault is FeedFaults.Topic or FeedFaults.Access => new(OutletStep.Fail, now),
            SubscriptionStatus.Requested => new(definition.Topic is null || definition.Channel == ChannelKind.WebSocket ? OutletStep.Activate : OutletStep.Handshake, now),
            _ => Active(definition, feed, state, options, now, lastSent, accessSeen, resends),
        };
        return definition.End is { } end && end < due.At ? new(OutletStep.TurnOff, end) : due;
    }

    private static DueStep Active(
        SubscriptionDefinition definition, Feed feed, DeliveryState state, SubscriptionOptions options, DateTimeOffset now, DateTimeOffset lastSent, DateTimeOffset accessSeen, bool resends)
    {
        var check = new DueStep(OutletStep.CheckAccess, Within(AccessInterval, accessSeen + AccessInterval, now));
        if (definition.Channel == ChannelKind.WebSocket)
        {
            return check; // whoever holds the socket reads the feed
        }
        var earliest = state.NotBefore is { } notBefore ? Within(options.LongestRetry, notBefore, now) : DateTimeOffset.MinValue;
        if (resends)
        {
            return new(OutletStep.Resend, earliest);
        }
        if (feed.Last > state.Delivered)
        {
            var pause = definition.Channel == ChannelKind.Email ? Within(options.EmailInterval, lastSent + options.EmailInterval, now) : DateTimeOffset.MinValue;
            return new(OutletStep.Events, pause > earliest ? pause : earliest);
        }
        if (definition.Heartbeat is { } period)
        {
            var beat = Within(period, lastSent + period, now);
            var heartbeat = new DueStep(OutletStep.Heartbeat, beat > earliest ? beat : earliest);
            return heartbeat.At < check.At ? heartbeat : check;
        }
        return check;
    }

    /// <summary>What would be later than its longest pause from now was set before the clock was set back.</summary>
    private static DateTimeOffset Within(TimeSpan longest, DateTimeOffset at, DateTimeOffset now) => at > now + longest ? now : at;
}
