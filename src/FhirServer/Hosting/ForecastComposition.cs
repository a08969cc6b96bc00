using FhirCore.Attendance;
using FhirCore.Records;
using FhirServer.Forecasting;
using FhirServer.Observability;
using FhirServer.Operations;
using FhirServer.Settings;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Search;
using Forecasting;
using Forecasting.NoShow;
using Forecasting.Series;
using Microsoft.Extensions.DependencyInjection.Extensions;
using NodaTime;
using SchedulingOperations;

namespace FhirServer.Hosting;

/// <summary>Forecasts: the operations where requests are answered, the work in the background where this process has the role.</summary>
internal static class ForecastComposition
{
    public static void AddForecasting(this IServiceCollection services, ServerSettings settings, SchedulingOptions scheduling, NoShowOptions options)
    {
        services.AddSingleton(new LoadOptions(settings.BaseUrl.AbsoluteUri.TrimEnd('/'), DateTimeZoneProviders.Tzdb[scheduling.TimeZone]));
        services.AddSingleton(provider => new ForecastingParts(
            provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<IndexTokens>(),
            provider.GetRequiredService<OperationalFields>(), provider.GetRequiredService<ResourceStore>(), provider.GetRequiredService<SearchService>(),
            provider.GetRequiredService<IReminderCount>(), provider.GetRequiredService<LoadOptions>(), options, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IReminderCount, NoReminders>();
        services.AddSingleton(provider => provider.GetRequiredService<ForecastingParts>().Risk);
        services.AddSingleton<ForecastingApi>();
        services.AddSingleton<ForecastingJobs>();
        services.AddSingleton<IFhirOperations, ForecastRoutes>();
        services.AddSingleton<ForecastMetrics>();
        services.AddSingleton<IMetricsSource>(provider => provider.GetRequiredService<ForecastMetrics>());
        if (settings.Process.Roles.Forecasting)
        {
            services.AddHostedService<ForecastWork>();
        }
    }
}

/// <summary>Where nobody counts the reminders of a visit.</summary>
internal sealed class NoReminders : IReminderCount
{
    public ValueTask<int> SentAsync(string appointment, CancellationToken ct) => new(0);
}
