using System.Collections.Concurrent;
using FhirCore.Messages;
using FhirServer.Observability;
using Subscriptions.Reminders.Sending;

namespace FhirServer.Messages;

/// <summary>What becomes of messages, for the metrics and the log: counts and codes.</summary>
internal sealed class MessageMetrics(TimeProvider clock, ILogger<MessageMetrics> logger) : IMessageObserver, IMetricsSource
{
    /// <summary>Wrong settings fail each message: one line in this time tells as much.</summary>
    private static readonly TimeSpan TellAgain = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<(MessageChannelKind Channel, string Result), long> _counts = new();
    private readonly ConcurrentDictionary<MessageChannelKind, long> _told = new();
    private long _latestLateness;

    public void Attempted(MessageChannelKind channel, string result, TimeSpan late)
    {
        _counts.AddOrUpdate((channel, result), 1, static (_, count) => count + 1);
        if (result == "taken")
        {
            Volatile.Write(ref _latestLateness, (long)late.TotalMilliseconds);
        }
    }

    public void Misconfigured(MessageChannelKind channel, string code)
    {
        var now = clock.GetTimestamp();
        if (!_told.TryGetValue(channel, out var last) || clock.GetElapsedTime(last) > TellAgain)
        {
            _told[channel] = now;
            MessageLines.Misconfigured(logger, channel, code);
        }
    }

    public void Unreadable(int count) => MessageLines.Unreadable(logger, count);

    public void Failed(Exception why) => MessageLines.Failed(logger, Fault.Describe(why));

    public void Write(MetricsText text)
    {
        var messages = text.Counter("fhir_messages_total", "Messages to people by channel and what the provider said.");
        foreach (var ((channel, result), count) in _counts)
        {
            messages.Add(count, ("channel", channel.ToString().ToLowerInvariant()), ("result", result));
        }
        text.Gauge("fhir_messages_last_lateness_seconds", "How long after it was due the last message was taken.", Volatile.Read(ref _latestLateness) / 1000.0);
    }
}

internal static partial class MessageLines
{
    [LoggerMessage(70, LogLevel.Information, "Messages by {Channel} are off: {Section} has no settings.")]
    public static partial void Off(ILogger logger, MessageChannelKind channel, string section);

    [LoggerMessage(71, LogLevel.Information, "Messages by {Channel} go out by {Where}.")]
    public static partial void On(ILogger logger, MessageChannelKind channel, string where);

    [LoggerMessage(72, LogLevel.Error, "The provider of {Channel} refuses our account, sender or credentials ({Code}): nobody is reached by it until the settings are mended.")]
    public static partial void Misconfigured(ILogger logger, MessageChannelKind channel, string code);

    [LoggerMessage(73, LogLevel.Warning, "{Count} planned messages could not be opened and were removed: their patients were erased, or the store is damaged.")]
    public static partial void Unreadable(ILogger logger, int count);

    [LoggerMessage(74, LogLevel.Error, "Sending messages failed and is tried again: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);

    [LoggerMessage(75, LogLevel.Information, "No reminders go out: no channel is set up.")]
    public static partial void NoChannel(ILogger logger);

    [LoggerMessage(76, LogLevel.Error, "Records of messages that are over could not be removed: {Fault}")]
    public static partial void SweepFailed(ILogger logger, string fault);
}
