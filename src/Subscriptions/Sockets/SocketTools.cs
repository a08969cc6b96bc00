using FhirCore.Pacing;
using FhirStore;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Topics;

namespace Subscriptions.Sockets;

/// <summary>What every socket of a process works with.</summary>
public sealed record SocketTools(
    ResourceStore Store, SubscriptionRecords Own, TopicDirectory Directory, DefinitionReader Definitions, SubscriberStandings Standings, EventTeller Teller, NotificationBundle Bundles,
    FeedWatch Watch, BackgroundPace Pace, SubscriptionOptions Options, ISubscriptionObserver Observer, TimeProvider Clock);
