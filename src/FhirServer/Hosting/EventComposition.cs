using FhirCore.Events;
using FhirCore.Records;
using FhirServer.Observability;
using FhirStore.Events;
using FhirStore.Leases;

namespace FhirServer.Hosting;

/// <summary>How changes reach those who follow them.</summary>
internal static class EventComposition
{
    /// <summary>How often commits of other processes are looked for.</summary>
    private static readonly TimeSpan PollOthers = TimeSpan.FromMilliseconds(50);

    /// <summary>The only process is woken by each of its commits; this is for what it may have missed.</summary>
    private static readonly TimeSpan PollAlone = TimeSpan.FromSeconds(1);

    public static void AddEvents(this IServiceCollection services, OpenStore store)
    {
        services.AddSingleton(store.Records.Changes);
        services.AddSingleton<EventMetrics>();
        services.AddSingleton<IMetricsSource>(provider => provider.GetRequiredService<EventMetrics>());
        services.AddSingleton<IMetricsSource, EventLagMetrics>();
        services.AddSingleton<IEventLog>(provider => new OutboxEventLog(
            provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<LeasedJobs>(), store.Records.Changes,
            ProcessComposition.IsSoleProcess(store) ? PollAlone : PollOthers, provider.GetRequiredService<EventMetrics>(), provider.GetRequiredService<TimeProvider>()));
    }
}
