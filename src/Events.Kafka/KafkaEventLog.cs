using System.Collections.Concurrent;
using Events.Kafka.Clients;
using Events.Kafka.Following;
using Events.Kafka.Messages;
using Events.Kafka.Relaying;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Kafka;

/// <summary>The event log on Kafka: a relay out of the change log, a topic for each resource type, and consumer groups.</summary>
/// <remarks>Somebody must run <see cref="RelayAsync"/>, one process at a time; without it nothing new is told.</remarks>
public sealed class KafkaEventLog : IEventLog, IEngineProbe, IDisposable
{
    private static readonly TimeSpan ProbeTime = TimeSpan.FromMilliseconds(1_500);

    private readonly IRecordStore _records;
    private readonly KafkaEventsOptions _options;
    private readonly IEventObserver? _events;
    private readonly IKafkaObserver? _kafka;
    private readonly TimeProvider _clock;
    private readonly KafkaClients _clients;
    private readonly KafkaAdmin _admin;
    private readonly TopicBook _topics;
    private readonly DeadLetters _deadLetters;
    private readonly Relay _relay;
    private readonly ConcurrentDictionary<Member, string> _members = new();

    /// <param name="poll">How often the relay looks for commits of other processes; those of this one wake it at once. From 10 ms on.</param>
    /// <exception cref="ArgumentException">The options cannot be used.</exception>
    public KafkaEventLog(
        IRecordStore records, KafkaEventsOptions options, ChangeSignal signal, TimeSpan poll, IEventObserver? events, IKafkaObserver? kafka, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems().FirstOrDefault() is { Property: not null } problem)
        {
            throw new ArgumentException($"{problem.Property}: {problem.Why}.", nameof(options));
        }
        (_records, _options, _events, _kafka, _clock) = (records, options, events, kafka, clock);
        var limit = new BodyLimit(options.LargestBody);
        _clients = new(options, kafka);
        _admin = new(_clients, options);
        _topics = new(records, _admin, options, clock);
        _deadLetters = new(_clients, _topics, limit, options, clock);
        Notifications = new(_clients, _topics, limit, options);
        _relay = new(records, _clients, _topics, limit, options, signal, poll, kafka, clock);
    }

    /// <summary>For subscribers who read Kafka.</summary>
    public NotificationTopic Notifications { get; }

    public string Engine => "Kafka";

    /// <summary>Changes wait in the change log; everything else goes on.</summary>
    public bool IsRequired => false;

    /// <summary>To be asked before the log is used: topics that are there already have their number of partitions for ever.</summary>
    /// <returns>One line for each topic that the options do not fit; empty where all is well.</returns>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    public static Task<IReadOnlyList<string>> ProblemsAsync(IRecordStore records, KafkaEventsOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(options);
        return TopicBook.ProblemsAsync(records, options, ct);
    }

    /// <summary>Carries changes to Kafka until cancelled; then it throws <see cref="OperationCanceledException"/>.</summary>
    public Task RelayAsync(CancellationToken ct) => _relay.RunAsync(ct);

    /// <returns>Changes that are not in Kafka yet.</returns>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    public async ValueTask<LaneLag> BacklogAsync(CancellationToken ct)
    {
        var progress = await EventProgress.ReadAsync(_records, TopicBook.RelayKey, ct).ConfigureAwait(false);
        return await _records.LagAsync("relay", progress.Sequence, _clock, ct).ConfigureAwait(false);
    }

    public async Task FollowAsync(EventGroup group, IEventHandler handler, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(group);
        group.ThrowIfWrong();
        _events?.Follows(group.Name);
        var context = new LaneContext(_records, _admin, _topics, _options, handler, SetAsideAsync, _events, _kafka, _clock);
        var member = new Member(group, context, _clients, _topics, _options, _events, _clock);
        _members[member] = group.Name;
        try
        {
            await GroupBeginning.WriteAsync(_records, group, _events, _clock, ct).ConfigureAwait(false);
            await member.RunAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Told to stop.
        }
        finally
        {
            _members.TryRemove(member, out _);
        }
    }

    /// <summary>Lanes of this process.</summary>
    public ValueTask<IReadOnlyList<LaneLag>> LagAsync(string group, CancellationToken ct) =>
        new([.. _members.Where(member => member.Value == group).SelectMany(member => member.Key.Lag)]);

    public async ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        var brokers = await _admin.TryCountBrokersAsync(ProbeTime).WaitAsync(ct).ConfigureAwait(false);
        return brokers is not { } there ? "does not answer; changes wait in the change log"
            : there < _options.MinInSyncReplicas ? $"{there} brokers answer and {_options.MinInSyncReplicas} are needed; changes wait in the change log"
            : null;
    }

    public void Dispose()
    {
        _deadLetters.Dispose();
        Notifications.Dispose();
        _admin.Dispose();
    }

    private async Task SetAsideAsync(DeadEvent dead, RecordWrite progress, CancellationToken ct)
    {
        await _deadLetters.SendAsync(dead, ct).ConfigureAwait(false);
        if (await _records.CommitAsync(Commit.Of(progress), ct).ConfigureAwait(false) is not CommitResult.Done)
        {
            throw new LaneLostException(dead.Lane);
        }
    }
}
