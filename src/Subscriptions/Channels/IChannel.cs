using FhirStore;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;

namespace Subscriptions.Channels;

/// <summary>One notification on its way.</summary>
/// <param name="Id">The same for the same events, so that a repetition can be recognised.</param>
/// <param name="Bundle">Null for R4's own notifications, which have none.</param>
/// <param name="Resource">Of R4's own notifications with a payload: the resource.</param>
/// <param name="Events">How many it tells of.</param>
public sealed record Outgoing(
    string Id, NotificationType Type, SubscriptionDefinition Definition, Subscriber Subscriber, ReadOnlyMemory<byte>? Bundle, StoredResource? Resource, int Events);

/// <summary>What became of an attempt.</summary>
public abstract record SendOutcome
{
    private SendOutcome()
    {
    }

    public static SendOutcome Done { get; } = new Taken();

    public sealed record Taken : SendOutcome;

    /// <param name="Problem">Such as <c>http-503</c> or <c>timeout</c>: no address, no content.</param>
    /// <param name="After">As the receiver asks.</param>
    /// <param name="IsAboutContent">The receiver understands the request and will not take what is in it, however often it is sent.</param>
    public sealed record Failed(string Problem, TimeSpan? After = null, bool IsAboutContent = false) : SendOutcome;

    /// <summary>The receiver says that it wants nothing more, for good.</summary>
    public sealed record Gone(string Problem) : SendOutcome;
}

/// <summary>A way to reach a subscriber. Throws when cancelled, and for nothing else that the receiver does.</summary>
public interface IChannel
{
    ChannelKind Kind { get; }

    Task<SendOutcome> SendAsync(Outgoing outgoing, CancellationToken ct);
}
