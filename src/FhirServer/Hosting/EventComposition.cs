using Events.Kafka;
using FhirCore.Events;
using FhirCore.Pacing;
using FhirCore.Records;
using FhirServer.Observability;
using FhirServer.Settings;
using FhirServer.Subscriptions;
using FhirStore.Events;
using FhirStore.Leases;
using Subscriptions.Channels;

namespace FhirServer.Hosting;

/// <summary>The event log that <c>Events:Provider</c> names: how changes reach those who follow them.</summary>
internal static class EventComposition
{
    /// <summary>How often commits of other processes are looked for.</summary>
    private static readonly TimeSpan PollOthers = TimeSpan.FromMilliseconds(50);

    /// <summary>The only process is woken by each of its commits; this is for what it may have missed.</summary>
    private static readonly TimeSpan PollAlone = TimeSpan.FromSeconds(1);

    public static void AddEvents(this IServiceCollection services, EventSettings settings, OpenStore store)
    {
        var poll = ProcessComposition.IsSoleProcess(store) ? PollAlone : PollOthers;
        services.AddSingleton(store.Records.Changes);
        services.AddSingleton<EventMetrics>();
        services.AddSingleton<IMetricsSource>(provider => provider.GetRequiredService<EventMetrics>());
        services.AddSingleton<IMetricsSource, EventLagMetrics>();
        if (settings.Kafka is not { } kafka)
        {
            services.AddSingleton<IEventLog>(provider => new OutboxEventLog(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<LeasedJobs>(), store.Records.Changes, poll, provider.GetRequiredService<BackgroundPace>(),
                provider.GetRequiredService<EventMetrics>(), provider.GetRequiredService<TimeProvider>()));
            return;
        }
        services.AddSingleton<KafkaEvents>();
        services.AddSingleton(provider => new KafkaEventLog(
            provider.GetRequiredService<IRecordStore>(), kafka, store.Records.Changes, poll, provider.GetRequiredService<EventMetrics>(),
            provider.GetRequiredService<KafkaEvents>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IEventLog>(provider => provider.GetRequiredService<KafkaEventLog>());
        services.AddSingleton<IEngineProbe>(provider => provider.GetRequiredService<KafkaEventLog>());
        services.AddSingleton<IMetricsSource, KafkaMetrics>();
        services.AddSingleton<INotificationStream, KafkaStream>();
        services.AddHostedService<EventRelay>();
    }

    /// <summary>What cannot be seen from the settings alone.</summary>
    /// <exception cref="SettingsException">The settings do not fit what is there.</exception>
    public static async Task CheckAsync(EventSettings settings, OpenStore store, CancellationToken ct)
    {
        if (settings.Kafka is { } kafka && await KafkaEventLog.ProblemsAsync(store.Records, kafka, ct) is { Count: > 0 } problems)
        {
            throw new SettingsException([.. problems.Select(problem => $"Events:Kafka:{nameof(kafka.Partitions)}: {problem}")]);
        }
    }
}
