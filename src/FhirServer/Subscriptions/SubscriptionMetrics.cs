using System.Collections.Concurrent;
using FhirServer.Observability;
using Subscriptions;
using Subscriptions.Delivery;

namespace FhirServer.Subscriptions;

/// <summary>What becomes of events on their way to subscribers: counts and times, by channel.</summary>
internal sealed class SubscriptionMetrics(ILogger<SubscriptionMetrics> logger) : ISubscriptionObserver, IMetricsSource
{
    private static readonly double[] Bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600];

    private readonly ConcurrentDictionary<string, ChannelCounts> _channels = new(StringComparer.Ordinal);
    private long _matched;
    private long _triggerFaults;
    private long _faults;

    private sealed class ChannelCounts
    {
        public long Notifications;
        public long Events;
        public long Failed;
        public long GivenUp;
        public long SetAside;
        public readonly DurationHistogram Ages = new(Bounds);
    }

    /// <summary>Null where this process delivers nothing.</summary>
    public ShardRunner? Runner { get; set; }

    public void Matched(int events) => Interlocked.Add(ref _matched, events);

    public void TriggerFailed(string topic, string fault)
    {
        Interlocked.Increment(ref _triggerFaults);
        SubscriptionLines.TriggerFailed(logger, topic, fault);
    }

    public void Delivered(string channel, int events, TimeSpan age)
    {
        var counts = Of(channel);
        Interlocked.Increment(ref counts.Notifications);
        if (events > 0)
        {
            Interlocked.Add(ref counts.Events, events);
            counts.Ages.Record(age);
        }
    }

    public void Failed(string channel, string problem, bool final)
    {
        var counts = Of(channel);
        Interlocked.Increment(ref final ? ref counts.GivenUp : ref counts.Failed);
        if (final)
        {
            SubscriptionLines.GivenUp(logger, channel, problem);
        }
    }

    public void SetAside(string channel, int events)
    {
        Interlocked.Add(ref Of(channel).SetAside, events);
        SubscriptionLines.SetAside(logger, channel, events);
    }

    public void Faulted(Exception why)
    {
        Interlocked.Increment(ref _faults);
        SubscriptionLines.Faulted(logger, Fault.Describe(why));
    }

    public void Write(MetricsText text)
    {
        text.Counter("fhir_subscription_events_matched_total", "Events numbered, of all subscriptions.", Volatile.Read(ref _matched));
        text.Counter("fhir_subscription_trigger_faults_total", "Triggers that could not be evaluated.", Volatile.Read(ref _triggerFaults));
        text.Counter("fhir_subscription_faults_total", "Faults of the server's own while it delivered.", Volatile.Read(ref _faults));
        if (Runner is { } runner)
        {
            text.Gauge("fhir_subscription_events_pending", "Events that wait to be delivered by this process.", runner.Pending);
            text.Gauge("fhir_subscriptions_delivered_here", "Subscriptions that this process delivers.", runner.Subscriptions);
        }
        ByChannel("fhir_subscription_notifications_total", "Notifications taken by their receivers.", counts => Volatile.Read(ref counts.Notifications));
        ByChannel("fhir_subscription_events_delivered_total", "Events in notifications that were taken.", counts => Volatile.Read(ref counts.Events));
        ByChannel("fhir_subscription_attempts_failed_total", "Attempts that failed and are made again.", counts => Volatile.Read(ref counts.Failed));
        ByChannel("fhir_subscription_given_up_total", "Times that a subscription went into error.", counts => Volatile.Read(ref counts.GivenUp));
        ByChannel("fhir_subscription_events_set_aside_total", "Events that were not delivered and are not tried again.", counts => Volatile.Read(ref counts.SetAside));
        var ages = text.Histogram("fhir_subscription_event_age_seconds", "Age of a notification's oldest event when it was taken.");
        foreach (var (channel, counts) in _channels)
        {
            counts.Ages.Write(ages, ("channel", channel));
        }

        void ByChannel(string name, string help, Func<ChannelCounts, long> value)
        {
            var counter = text.Counter(name, help);
            foreach (var (channel, counts) in _channels)
            {
                counter.Add(value(counts), ("channel", channel));
            }
        }
    }

    private ChannelCounts Of(string channel) => _channels.GetOrAdd(channel, static _ => new());
}

internal static partial class SubscriptionLines
{
    [LoggerMessage(70, LogLevel.Warning, "A trigger of the topic {Topic} could not be evaluated on some resource ({Fault}); it counts as not fulfilled.")]
    public static partial void TriggerFailed(ILogger logger, string topic, string fault);

    [LoggerMessage(71, LogLevel.Information, "A subscription by {Channel} is in error now: {Problem}.")]
    public static partial void GivenUp(ILogger logger, string channel, string problem);

    [LoggerMessage(72, LogLevel.Warning, "{Events} events for a subscription by {Channel} were set aside.")]
    public static partial void SetAside(ILogger logger, string channel, int events);

    [LoggerMessage(73, LogLevel.Error, "A notification could not be made and is tried again: {Fault}")]
    public static partial void Faulted(ILogger logger, string fault);

    [LoggerMessage(74, LogLevel.Error, "Old events of subscriptions could not be removed; tried again later: {Fault}")]
    public static partial void SweepFailed(ILogger logger, string fault);
}
