using System.Collections.Concurrent;
using Events.Kafka;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;

namespace FhirServer.Observability;

/// <summary>Counts and says what becomes of events on their way through Kafka.</summary>
internal sealed class KafkaEvents(ILogger<KafkaEvents> logger, TimeProvider clock) : IKafkaObserver
{
    /// <summary>The driver repeats itself several times a second while a broker is away.</summary>
    private static readonly TimeSpan SayAgain = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(string Client, string Code), long> _said = new();
    private long _published;
    private long _relayFailures;
    private long _unreadable;
    private long _caughtUp;

    public long PublishedEvents => Volatile.Read(ref _published);

    public long RelayFailures => Volatile.Read(ref _relayFailures);

    public long UnreadableMessages => Volatile.Read(ref _unreadable);

    public long CaughtUpEvents => Volatile.Read(ref _caughtUp);

    public void Published(int events) => Interlocked.Add(ref _published, events);

    public void RelayFailed(Exception why)
    {
        Interlocked.Increment(ref _relayFailures);
        switch (why)
        {
            case LaneLostException or StoreUnavailableException:
                KafkaLines.RelayWaits(logger);
                break;
            case TopicMismatchException mismatch:
                KafkaLines.Mismatch(logger, mismatch.Message);
                break;
            default:
                if (MayBeSaid("relay", why.GetType().Name))
                {
                    KafkaLines.RelayFailed(logger, Fault.Describe(why));
                }
                break;
        }
    }

    public void Trouble(string client, string code, string reason)
    {
        if (MayBeSaid(client, code))
        {
            KafkaLines.Trouble(logger, client, code, reason.ReplaceLineEndings(" "));
        }
    }

    public void Unreadable(string topic, int partition, long offset)
    {
        Interlocked.Increment(ref _unreadable);
        if (MayBeSaid(topic, "unreadable"))
        {
            KafkaLines.Unreadable(logger, offset, topic, partition);
        }
    }

    public void CaughtUp(string group, string lane, int events)
    {
        Interlocked.Add(ref _caughtUp, events);
        KafkaLines.CaughtUp(logger, group, lane, events);
    }

    private bool MayBeSaid(string client, string code)
    {
        var (key, now) = ((client, code), clock.GetTimestamp());
        if (_said.TryGetValue(key, out var last) && clock.GetElapsedTime(last, now) < SayAgain)
        {
            return false;
        }
        _said[key] = now;
        return true;
    }
}

internal static partial class KafkaLines
{
    [LoggerMessage(65, LogLevel.Warning, "Kafka, {Client}: {Code}: {Reason}")]
    public static partial void Trouble(ILogger logger, string client, string code, string reason);

    [LoggerMessage(66, LogLevel.Warning, "The relay to Kafka begins again from where it stood: {Fault}")]
    public static partial void RelayFailed(ILogger logger, string fault);

    [LoggerMessage(67, LogLevel.Information, "The relay to Kafka waits: the store does not answer, or another process was the relay a moment ago.")]
    public static partial void RelayWaits(ILogger logger);

    [LoggerMessage(68, LogLevel.Error, "Events wait in the change log: {Mismatch} Put the topic back as it was, or set another Events:Kafka:TopicPrefix.")]
    public static partial void Mismatch(ILogger logger, string mismatch);

    [LoggerMessage(69, LogLevel.Warning, "The message at offset {Offset} of {Topic}, partition {Partition}, was not written by this server and is passed over.")]
    public static partial void Unreadable(ILogger logger, long offset, string topic, int partition);

    [LoggerMessage(70, LogLevel.Warning, "{Group} was given {Events} events of lane {Lane} from the change log: Kafka no longer has them.")]
    public static partial void CaughtUp(ILogger logger, string group, string lane, int events);
}
