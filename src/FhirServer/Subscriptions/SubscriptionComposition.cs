using FhirCore.Events;
using FhirCore.Messages;
using FhirCore.Outbound;
using FhirCore.Records;
using FhirServer.Hosting;
using FhirServer.Observability;
using FhirServer.Operations;
using FhirServer.Settings;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Leases;
using FhirStore.Search;
using FhirStore.Writing;
using Subscriptions;
using Subscriptions.Channels;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Matching;
using Subscriptions.Operations;
using Subscriptions.Sockets;
using Subscriptions.Topics;
using Subscriptions.Writing;

namespace FhirServer.Subscriptions;

/// <summary>Puts the subscriptions together.</summary>
internal static class SubscriptionComposition
{
    /// <summary>How often what other processes have matched is looked for.</summary>
    private static readonly TimeSpan PollOthers = TimeSpan.FromMilliseconds(100);

    /// <summary>What the only process matches is heard at once; this is for requests to send again, and for what may have been missed.</summary>
    private static readonly TimeSpan PollAlone = TimeSpan.FromSeconds(1);

    public static void AddSubscriptions(this IServiceCollection services, SubscriptionOptions options, ServerSettings settings, OpenStore store)
    {
        var alone = ProcessComposition.IsSoleProcess(store);
        var poll = alone ? PollAlone : PollOthers;
        var guard = new OutboundGuard(options.ReadAllowed());
        services.AddSingleton(options);
        services.AddSingleton<CriteriaCompiler>();
        services.AddSingleton<TopicReader>();
        services.AddSingleton<TopicDirectory>();
        services.AddSingleton<FilterReader>();
        services.AddSingleton(provider => new ChannelOffer(
            guard, SocketEndpoint.UrlOf(settings.BaseUrl), MailOf(provider) is not null, provider.GetService<INotificationStream>() is not null));
        services.AddSingleton<DefinitionReader>();
        services.AddSingleton(provider => new SubscriptionRecords(
            provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<IndexTokens>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IWriteRule, SubscriptionRule>();
        services.AddSingleton<IWriteRule, TopicRule>();
        services.AddSingleton<ISubscriberAccess, SubscriberAccess>();
        services.AddSingleton<SubscriberStandings>();
        services.AddSingleton<FeedSignals>();
        services.AddSingleton<EventTeller>();
        services.AddSingleton(provider => new NotificationBundle(settings.BaseUrl.AbsoluteUri.TrimEnd('/'), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<StatusWriter>();
        services.AddSingleton<SubscriptionMetrics>();
        services.AddSingleton<ISubscriptionObserver>(provider => provider.GetRequiredService<SubscriptionMetrics>());
        services.AddSingleton<IMetricsSource>(provider => provider.GetRequiredService<SubscriptionMetrics>());
        services.AddSingleton(provider => new Matcher(
            provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<ResourceStore>(), provider.GetRequiredService<SubscriptionRecords>(),
            provider.GetRequiredService<TopicDirectory>(), provider.GetRequiredService<DefinitionReader>(), provider.GetRequiredService<SubscriberStandings>(),
            provider.GetRequiredService<FeedSignals>(), provider.GetRequiredService<ISubscriptionObserver>(), provider.GetRequiredService<TimeProvider>(), alone));
        AddDelivery(services, guard, settings, alone, poll);
        services.AddSingleton(provider => new FeedWatch(
            provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<FeedSignals>(), poll, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<SocketTools>();
        services.AddSingleton<SocketEndpoint>();
        services.AddSingleton<SubscriptionApi>();
        services.AddSingleton<IFhirOperations, SubscriptionRoutes>();
        services.AddSingleton<FeedSweep>();
        services.AddHostedService<SubscriptionWork>();
        services.AddHostedService<SocketWork>();
    }

    private static void AddDelivery(IServiceCollection services, OutboundGuard guard, ServerSettings settings, bool alone, TimeSpan poll)
    {
        services.AddSingleton(provider => new RestHook(guard, provider.GetRequiredService<SubscriptionOptions>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IReadOnlyList<IChannel>>(provider =>
        {
            var channels = new List<IChannel> { provider.GetRequiredService<RestHook>() };
            if (MailOf(provider) is { } mail)
            {
                channels.Add(new EmailChannel(mail, settings.BaseUrl.AbsoluteUri.TrimEnd('/'), provider.GetRequiredService<TimeProvider>()));
            }
            if (provider.GetService<INotificationStream>() is { } stream)
            {
                channels.Add(new StreamChannel(stream));
            }
            return channels;
        });
        services.AddSingleton<OutletTools>();
        services.AddSingleton(provider =>
        {
            var runner = new ShardRunner(provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<SubscriptionRecords>(),
                provider.GetRequiredService<FeedSignals>(), provider.GetRequiredService<OutletTools>(), poll);
            provider.GetRequiredService<SubscriptionMetrics>().Runner = runner;
            return runner;
        });
        services.AddSingleton(provider => new DeliveryService(
            provider.GetRequiredService<LeasedJobs>(), provider.GetRequiredService<ShardRunner>(),
            alone ? null : new Workers(provider.GetRequiredService<IRecordStore>(), settings.Process.LeaseTime / 3, provider.GetRequiredService<TimeProvider>()),
            provider.GetRequiredService<TimeProvider>()));
    }

    private static IMessageChannel? MailOf(IServiceProvider provider) =>
        provider.GetServices<IMessageChannel>().FirstOrDefault(channel => channel.Kind == MessageChannelKind.Email);
}
