using Cache.Redis;
using FhirCore.Caching;
using FhirCore.Records;
using FhirServer.Scheduling;
using FhirServer.Settings;
using FhirStore.Caching;
using FhirStore.Slots;

namespace FhirServer.Hosting;

/// <summary>The cache that <c>Cache:Provider</c> names, and what is kept in it.</summary>
internal static class CacheComposition
{
    public static void AddCache(this IServiceCollection services, CacheSettings settings)
    {
        services.AddSingleton(new FreeSlotsOptions { Weeks = settings.SlotWeeks });
        services.AddSingleton<FreeSlots>();
        if (settings.RedisConfiguration is not { } redis)
        {
            services.AddSingleton<ICache>(provider => new MemoryCache(provider.GetRequiredService<TimeProvider>()));
            return;
        }
        services.AddSingleton(provider => RedisCache.Open(new() { Configuration = redis }, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ICache>(provider => provider.GetRequiredService<RedisCache>());
        services.AddSingleton<IEngineProbe>(provider => provider.GetRequiredService<RedisCache>());
        services.AddSingleton<SlotWarmer>();
        services.AddHostedService<SlotWarming>();
    }
}
