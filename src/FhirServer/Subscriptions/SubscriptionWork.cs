using FhirCore.Events;
using FhirServer.Observability;
using FhirServer.Settings;
using FhirStore.Leases;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Matching;
using Subscriptions.Sockets;

namespace FhirServer.Subscriptions;

/// <summary>What a process with the role <c>subscriptions</c> does for as long as it runs: match changes, deliver its share, clear away what is over.</summary>
internal sealed class SubscriptionWork(
    ProcessSettings process, IEventLog log, Matcher matcher, DeliveryService delivery, FeedSweep sweep, LeasedJobs jobs, TimeProvider clock, ILogger<SubscriptionWork> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => !process.Roles.Subscriptions ? Task.CompletedTask : Task.WhenAll(
        log.FollowAsync(Matcher.Group, matcher, stoppingToken),
        delivery.RunAsync(stoppingToken),
        jobs.HoldAsync("subscriptions-sweep", SweepAlwaysAsync, stoppingToken));

    private async Task SweepAlwaysAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(FeedSweep.Interval, clock);
        while (await timer.WaitForNextTickAsync(ct))
        {
            try
            {
                await sweep.RunAsync(ct);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                SubscriptionLines.SweepFailed(logger, Fault.Describe(error));
            }
        }
    }
}

/// <summary>Keeps the websockets of a process with the role <c>api</c> awake.</summary>
internal sealed class SocketWork(ProcessSettings process, FeedWatch watch) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (process.Roles.Api)
        {
            await watch.RunAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
