using Authorization.Access;
using Authorization.Access.Privacy;
using Authorization.Launch;
using Authorization.Server;
using FhirCore.Records;
using FhirServer.AppState;
using FhirServer.Auditing;
using FhirServer.Backup;
using FhirServer.Bundles;
using FhirServer.Discovery;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirServer.Messages;
using FhirServer.Observability;
using FhirServer.Operations;
using FhirServer.Provenances;
using FhirServer.Scheduling;
using FhirServer.Settings;
using FhirServer.Subscriptions;
using FhirStore;
using FhirStore.Access;
using FhirStore.Indexing;
using FhirStore.Search;
using FhirStore.Writing;
using SchedulingOperations;
using SchedulingOperations.Booking;
using SchedulingOperations.Idempotency;
using SchedulingOperations.PlainWrites;

namespace FhirServer.Hosting;

/// <summary>Who is given what.</summary>
internal static class Composition
{
    public static void AddFhirServer(this IServiceCollection services, IConfiguration configuration, ServerSettings settings, OpenStore store)
    {
        services.AddSingleton(settings);
        services.AddSingleton(TimeProvider.System);
        services.AddStore(store, settings);
        services.AddCache(settings.Cache);
        services.AddProcess(settings.Process, store);
        services.AddEvents(settings.Events, store);
        var scheduling = SchedulingSettings.Read(configuration);
        services.AddScheduling(scheduling);
        services.AddForecasting(settings, scheduling, ForecastingSettings.Read(configuration));
        services.AddAuthorizationServer(configuration, serves: settings.Process.Roles.Api);
        services.AddMessages(configuration, settings, scheduling);
        services.AddSubscriptions(SubscriptionSettings.Read(configuration), settings, store);
        services.AddAudit(AuditSettings.Read(configuration), settings);
        services.AddSingleton(LimitSettings.Read(configuration));
        services.AddSingleton<RateLimits>();
        services.AddSingleton<IWriteRule, ProvenanceRule>();
        services.AddHttp(settings);
        services.AddHostedService<StartupTasks>();
        if (store.Records.Inner is IBackup)
        {
            services.AddHostedService<ControlSocket>();
        }
    }

    public static void UseFhirServer(this WebApplication web)
    {
        var door = web.Services.GetRequiredService<FrontDoor>();
        // For those that ask for one: a read pays for no feature that it has no use for.
        web.UseWhen(
            static context => context.Request.Headers.Upgrade.Count > 0 || HttpMethods.IsConnect(context.Request.Method),
            static asked => asked.UseWebSockets(new() { KeepAliveInterval = TimeSpan.FromSeconds(30), KeepAliveTimeout = TimeSpan.FromSeconds(20) }));
        web.Use(next => context => door.InvokeAsync(context, next));
        web.UseAuthorizationServer();
        web.UseMessages();
        web.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
    }

    private static void AddStore(this IServiceCollection services, OpenStore store, ServerSettings settings)
    {
        services.AddSingleton(store);
        services.AddSingleton(store.Records);
        services.AddSingleton<IRecordStore>(store.Records);
        services.AddSingleton(store.Keys.Cipher);
        services.AddSingleton(store.Keys.IndexTokens);
        services.AddSingleton(store.Keys.Protector);
        services.AddSingleton(new SearchOptions { BaseUrl = settings.BaseUrl.AbsoluteUri });
        services.AddSingleton<ResourceIndexer>();
        services.AddSingleton<OperationalFields>();
        services.AddSingleton<SearchService>();
        if (store.Recent is { } recent)
        {
            services.AddSingleton(recent);
        }
        services.AddSingleton<ResourceStore>();
        services.AddSingleton<RestrictionCompiler>();
        services.AddSingleton<ConsentBook>();
        services.AddSingleton<Callers>();
        services.AddSingleton<IPatientDirectory, PatientDirectory>();
    }

    private static void AddScheduling(this IServiceCollection services, SchedulingOptions options)
    {
        services.AddSingleton(options);
        // The store is made with its rules, and this rule reads the store: it asks for it on the first write.
        services.AddSingleton<Func<ResourceStore>>(provider => provider.GetRequiredService<ResourceStore>);
        services.AddSingleton<IWriteRule, SchedulingRule>();
        services.AddSingleton<SchedulingApi>();
        services.AddSingleton<HoldExpiry>();
        services.AddSingleton<IdempotencySweep>();
        services.AddHostedService<SchedulingSweeps>();
    }

    private static void AddHttp(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton<ReadInteractions>();
        services.AddSingleton<HistoryInteractions>();
        services.AddSingleton<SearchInteractions>();
        services.AddSingleton<WriteInteractions>();
        services.AddSingleton(provider => new BundleInteractions(provider.GetRequiredService<ResourceStore>(), provider.GetRequiredService<RequestAudit>(), settings.MaxBundleEntries));
        services.AddSingleton<IFhirOperations, SchedulingRoutes>();
        services.AddSingleton<OperationRouter>();
        services.AddSingleton<AppStateInteractions>();
        services.AddSingleton<FhirDispatcher>();
        services.AddSingleton<DiscoverySources>();
        services.AddSingleton<DiscoveryDocuments>();
        services.AddSingleton<FhirCors>();
        services.AddSingleton<FhirHttp>();
        services.AddSingleton<RequestMetrics>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<RequestGate>();
        services.AddSingleton<Paces>();
        services.AddSingleton(provider => provider.GetRequiredService<Paces>().Events);
        services.AddSingleton<HealthEndpoints>();
        services.AddSingleton<FrontDoor>();
    }
}
