using Auditing;
using Auditing.Checking;
using Auditing.Keeping;
using Auditing.Reading;
using Auditing.Trail;
using FhirCore.Auditing;
using FhirCore.Records;
using FhirServer.Settings;
using FhirStore.Writing;

namespace FhirServer.Auditing;

internal static class AuditComposition
{
    public static void AddAudit(this IServiceCollection services, AuditOptions options, ServerSettings settings)
    {
        services.AddSingleton(options);
        services.AddSingleton(new AuditSource(settings.BaseUrl));
        services.AddSingleton<AuditObserver>();
        services.AddSingleton<IAuditObserver>(provider => provider.GetRequiredService<AuditObserver>());
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<ISecurityTrail>(provider => provider.GetRequiredService<AuditTrail>());
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<AuditReader>(provider));
        services.AddSingleton<ChainVerifier>();
        services.AddSingleton<RetentionSweep>();
        services.AddSingleton<RequestAudit>();
        services.AddSingleton<AuditEvents>();
        services.AddSingleton<IWriteRule, AuditEventRule>();
        services.AddHostedService<AuditWriting>();
        if (options.Enabled)
        {
            services.AddSingleton<IEngineProbe>(provider => provider.GetRequiredService<AuditTrail>());
            services.AddHostedService<AuditRetention>();
        }
    }
}
