using FhirCore.Pacing;
using FhirStore;
using Subscriptions.Channels;
using Subscriptions.Definitions;
using Subscriptions.Feeds;
using Subscriptions.Topics;
using Subscriptions.Writing;

namespace Subscriptions.Delivery;

/// <summary>What every outlet of a process works with.</summary>
public sealed class OutletTools(
    ResourceStore store, SubscriptionRecords own, TopicDirectory directory, DefinitionReader definitions, SubscriberStandings standings, EventTeller teller, NotificationBundle bundles,
    StatusWriter statuses, IReadOnlyList<IChannel> channels, BackgroundPace pace, SubscriptionOptions options, ISubscriptionObserver observer, TimeProvider clock) : IDisposable
{
    /// <summary>
    /// Attempts at once. Those whose receivers fail have places of their own, and few: who hangs, hangs once among the others and from then
    /// on among his like.
    /// </summary>
    private const int Healthy = 512;
    private const int Ailing = 64;

    private readonly Dictionary<ChannelKind, IChannel> _channels = channels.ToDictionary(channel => channel.Kind);
    private readonly SemaphoreSlim _healthy = new(Healthy);
    private readonly SemaphoreSlim _ailing = new(Ailing);

    internal ResourceStore Store => store;

    internal SubscriptionRecords Own => own;

    internal TopicDirectory Directory => directory;

    internal DefinitionReader Definitions => definitions;

    internal SubscriberStandings Standings => standings;

    internal EventTeller Teller => teller;

    internal NotificationBundle Bundles => bundles;

    internal StatusWriter Statuses => statuses;

    internal BackgroundPace Pace => pace;

    internal SubscriptionOptions Options => options;

    internal ISubscriptionObserver Observer => observer;

    internal TimeProvider Clock => clock;

    public void Dispose()
    {
        _healthy.Dispose();
        _ailing.Dispose();
    }

    /// <param name="fails">The receiver has failed before this.</param>
    internal async Task<SendOutcome> SendAsync(Outgoing outgoing, bool fails, CancellationToken ct)
    {
        var places = fails ? _ailing : _healthy;
        await places.WaitAsync(ct);
        try
        {
            return await _channels[outgoing.Definition.Channel].SendAsync(outgoing, ct);
        }
        finally
        {
            places.Release();
        }
    }
}
