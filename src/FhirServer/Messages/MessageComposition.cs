using Authorization.Accounts;
using FhirCore.Attendance;
using FhirCore.Messages;
using FhirServer.Hosting;
using FhirServer.Observability;
using FhirServer.Operations;
using FhirServer.Settings;
using FhirStore;
using FhirStore.Indexing;
using Messages.Fcm;
using Messages.Smtp;
using Messages.Twilio;
using SchedulingOperations;
using Subscriptions.Reminders;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Sending;

namespace FhirServer.Messages;

/// <summary>The channels that the settings name, who uses them, and what answers at the addresses that messages lead to.</summary>
internal static class MessageComposition
{
    public static void AddMessages(this IServiceCollection services, IConfiguration configuration, ServerSettings server, SchedulingOptions scheduling)
    {
        var settings = MessageSettings.Read(configuration);
        var addresses = MessageAddresses.Of(server);
        services.AddSingleton(settings);
        services.AddSingleton(addresses);
        // Twilio refuses an address that it cannot reach, and with it the message; a stand-in on this machine reaches this machine.
        var canReport = !addresses.Root.IsLoopback || settings.Twilio is { BaseUrl.IsLoopback: true };
        services.AddChannels(settings, canReport ? addresses.PublicOf(MessageAddresses.TwilioStatus) : null);
        if (ReminderSettings.Read(configuration, server, scheduling.TimeZone, settings) is { } options)
        {
            services.AddReminders(options, server.Process.Roles);
        }
    }

    /// <summary>Answers at the addresses in messages, and those that providers report to.</summary>
    public static void UseMessages(this WebApplication web)
    {
        if (web.Services.GetService<VisitPages>() is { } pages)
        {
            web.UseWhen(context => context.Request.Path.StartsWithSegments(MessageAddresses.Links, StringComparison.Ordinal), branch => branch.Run(pages.AnswerAsync));
        }
        if (web.Services.GetService<TwilioEndpoints>() is { } twilio)
        {
            web.UseWhen(TwilioEndpoints.IsHere, branch => branch.Run(twilio.AnswerAsync));
        }
    }

    /// <param name="reports">Where Twilio tells what became of messages; null where it cannot.</param>
    private static void AddChannels(this IServiceCollection services, MessageSettings settings, Uri? reports)
    {
        // Made, and disposed of, by the container.
        if (settings.Smtp is { } smtp)
        {
            services.AddSingleton(provider => new SmtpChannel(smtp, provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<IMessageChannel>(provider => provider.GetRequiredService<SmtpChannel>());
            services.AddSingleton<ICodeSender>(provider => new ChannelCodeSender(provider.GetRequiredService<SmtpChannel>(), ContactKind.Email, provider.GetRequiredService<TimeProvider>()));
        }
        if (settings.Twilio is { } twilio)
        {
            services.AddSingleton(new TwilioWebhook(twilio));
            services.AddSingleton(provider => new TwilioChannel(twilio with { StatusCallback = reports }, provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<IMessageChannel>(provider => provider.GetRequiredService<TwilioChannel>());
            services.AddSingleton<ICodeSender>(provider => new ChannelCodeSender(provider.GetRequiredService<TwilioChannel>(), ContactKind.Phone, provider.GetRequiredService<TimeProvider>()));
        }
        if (settings.Fcm is { } fcm)
        {
            services.AddSingleton<IMessageChannel>(provider => new FcmChannel(fcm, provider.GetRequiredService<TimeProvider>()));
        }
        services.AddSingleton<MessageChannels>();
    }

    private static void AddReminders(this IServiceCollection services, ReminderOptions options, ServerRoles roles)
    {
        services.AddSingleton(options);
        services.AddSingleton<ReminderRecords>();
        services.AddSingleton<MessageMetrics>();
        services.AddSingleton<IMessageObserver>(provider => provider.GetRequiredService<MessageMetrics>());
        services.AddSingleton<IMetricsSource>(provider => provider.GetRequiredService<MessageMetrics>());
        services.AddSingleton(provider => new ReminderRoom(
            provider.GetRequiredService<ResourceStore>(), provider.GetRequiredService<ReminderRecords>(), provider.GetRequiredService<OperationalFields>(),
            provider.GetRequiredService<MessageChannels>(), provider.GetService<INoShowRisk>(), options, provider.GetRequiredService<IMessageObserver>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<Paces>().Messages));
        services.AddSingleton<VisitActions>();
        services.AddSingleton<MessageLimits>();
        services.AddSingleton<VisitPages>();
        services.AddSingleton<TwilioEndpoints>();
        services.AddSingleton<IFhirOperations, DeviceOperations>();
        if (roles.Subscriptions)
        {
            services.AddHostedService<ReminderSending>();
        }
        services.AddHostedService<ReminderClearing>();
    }
}
