using FhirCore.Records;
using FhirServer.Observability;
using FhirServer.Settings;
using FhirStore.Leases;
using Storage.RocksDb;

namespace FhirServer.Hosting;

/// <summary>What makes this process one of several: its roles, its share of the background jobs, how it stops.</summary>
internal static class ProcessComposition
{
    /// <summary>The embedded engine locks its folder, which is the strongest of leases.</summary>
    public static bool IsSoleProcess(OpenStore store) => store.Records.Inner is RocksDbRecordStore;

    public static void AddProcess(this IServiceCollection services, ProcessSettings settings, OpenStore store)
    {
        services.AddSingleton(settings);
        services.AddSingleton<EngineHealth>();
        if (store.Records.Inner is IEngineProbe probe)
        {
            services.AddSingleton(probe);
        }
        services.AddSingleton(provider => new LeasedJobs(
            provider.GetRequiredService<IRecordStore>(),
            new(settings.Roles.Worker, IsSoleProcess(store), settings.LeaseTime)
            {
                Stopping = provider.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? default,
            },
            provider.GetRequiredService<TimeProvider>(),
            new JobLog(provider.GetRequiredService<ILogger<LeasedJobs>>())));
    }

    /// <summary>Says what nobody does, where no other process can do it.</summary>
    public static void WarnOfMissingRoles(ILogger logger, ServerRoles roles, OpenStore store)
    {
        if (IsSoleProcess(store) && roles.MissingWhenAlone is { } missing)
        {
            ProcessLog.RoleMissing(logger, missing);
        }
    }
}

internal static partial class ProcessLog
{
    [LoggerMessage(50, LogLevel.Warning, "{Missing}")]
    public static partial void RoleMissing(ILogger logger, string missing);
}
