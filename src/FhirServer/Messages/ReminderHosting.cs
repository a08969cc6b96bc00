using FhirCore.Events;
using FhirCore.Messages;
using FhirServer.Observability;
using FhirServer.Settings;
using FhirStore.Leases;
using Subscriptions.Reminders;
using Subscriptions.Reminders.Sending;

namespace FhirServer.Messages;

/// <summary>Plans and sends, in processes that have the role.</summary>
internal sealed class ReminderSending(
    ReminderRoom room, IEventLog events, LeasedJobs jobs, MessageChannels channels, MessageSettings settings, ReminderOptions options, ILogger<ReminderSending> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Tell(MessageChannelKind.Push, "Fcm", settings.Fcm?.BaseUrl.Host);
        Tell(MessageChannelKind.Sms, "Twilio", settings.Twilio?.BaseUrl.Host);
        Tell(MessageChannelKind.Email, "Smtp", settings.Smtp?.Host);
        if (!options.Channels.Any(channels.Has))
        {
            MessageLines.NoChannel(logger);
            return; // what is booked until there is one gets no reminders planned, and makes no work
        }
        await room.Work(events, jobs).RunAsync(stoppingToken);
    }

    private void Tell(MessageChannelKind channel, string section, string? where)
    {
        if (where is null)
        {
            MessageLines.Off(logger, channel, section);
        }
        else
        {
            MessageLines.On(logger, channel, where);
        }
    }
}

/// <summary>Clears away what is over, in one process at a time.</summary>
internal sealed class ReminderClearing(ReminderRoom room, LeasedJobs jobs, TimeProvider clock, ILogger<ReminderClearing> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => jobs.RunAsync("message-sweep", SweepAlwaysAsync, stoppingToken);

    private async Task SweepAlwaysAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(ct))
        {
            try
            {
                await room.Sweep.SweepAsync(ct);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                MessageLines.SweepFailed(logger, Fault.Describe(error)); // they wait for the next round
            }
        }
    }
}
