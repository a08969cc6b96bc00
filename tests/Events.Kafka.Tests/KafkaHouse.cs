using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Events.Contract;
using Events.Kafka.Messages;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Leases;
using Storage.Contract;
using Tests.Shared;

namespace Events.Kafka.Tests;

/// <summary>Processes that follow events through Kafka; each also stands ready to be the relay.</summary>
internal sealed class KafkaHouse(KafkaEventsOptions options, IRecordStore? store = null) : EventHouse
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(0.9);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>On the broker that all tests share.</summary>
    public static KafkaHouse OnSharedBroker() => new(Options(KafkaServer.BootstrapOrSkip()));

    public static KafkaEventsOptions Options(string bootstrap) => new()
    {
        BootstrapServers = bootstrap,
        TopicPrefix = KafkaServer.NewPrefix(),
        Partitions = 3,
        ReplicationFactor = 1,
        SessionTimeout = TimeSpan.FromSeconds(6), // the least that a broker allows
        TopicRefresh = TimeSpan.FromMilliseconds(300),
        HandOver = TimeSpan.FromSeconds(1),
    };

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private Clinic? _clinic;
    private EventProcess? _relaying;

    public override IRecordStore Store { get; } = store ?? new InMemoryRecordStore();

    public KafkaTally Kafka { get; } = new();

    /// <summary>False leaves the change log where it is.</summary>
    public bool Relays { get; set; } = true;

    public override async Task<IReadOnlyList<string>> SetAsideAsync(string group)
    {
        var messages = await TopicReader.ReadAsync(options.BootstrapServers, options.DeadLetters);
        return [.. messages.Where(message => TopicReader.Header(message, HeaderNames.DeadGroup) == group).Select(message => TopicReader.Header(message, HeaderNames.Id)!)];
    }

    /// <summary>A process of its own that follows, and enters what it is told in the group's ledger.</summary>
    public (EventProcess Process, Ledger Ledger) Follow(EventGroup group)
    {
        var process = NewProcess();
        var ledger = new Ledger(process.Store, group.Name);
        process.Follow(group, ledger);
        return (process, ledger);
    }

    /// <summary>New records of one type, over a few partitions.</summary>
    /// <returns>The sequence of the last.</returns>
    public async Task<long> HappenAsync(string type, int events)
    {
        _clinic ??= new(Store);
        for (var i = 0; i < events; i++)
        {
            await _clinic.MakeAsync(type, $"p{i % 7}");
        }
        return await Store.LastSequenceAsync(default);
    }

    /// <summary>One with so large a body.</summary>
    public async Task<long> HappenAsync(int bytes)
    {
        _clinic ??= new(Store);
        var record = A.Record(A.Key($"large-{bytes}", "Appointment"), partition: "p1", body: new string('x', bytes));
        Assert.IsType<CommitResult.Done>(await Store.CommitAsync(A.Commit(A.Write(record)), default));
        return await Store.LastSequenceAsync(default);
    }

    /// <summary>Waits until everything up to a sequence is in Kafka; where nobody follows, by a relay of its own.</summary>
    public async Task RelayedAsync(long sequence)
    {
        _relaying ??= NewProcess();
        await UntilAsync(async () => (await EventProgress.ReadAsync(Store, TopicBook.RelayKey, default)).Sequence >= sequence, "not everything is relayed");
    }

    /// <summary>Waits until the group's ledger has every event there is, each once and in its order.</summary>
    public async Task HoldsAsync(EventGroup group)
    {
        var expected = await _clinic!.ExpectedAsync(group);
        var held = new Dictionary<string, string[]>() as IReadOnlyDictionary<string, string[]>;
        await UntilAsync(
            async () => (held = await new Ledger(Store, group.Name).ReadAsync(Store)).Values.Sum(lines => lines.Length) >= expected.Values.Sum(lines => lines.Length), $"{group.Name} has not all events");
        Assert.All(expected, page => Assert.Equal(page.Value, held.GetValueOrDefault(page.Key)));
    }

    public async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        for (var waited = Stopwatch.StartNew(); !await holds(); await Task.Delay(20))
        {
            Assert.True(waited.Elapsed < Limit, $"Waited in vain: {what}. {Failures}");
        }
    }

    public Task<IReadOnlyList<ConsumeResult<byte[], byte[]>>> ReadTopicAsync(string type) => TopicReader.ReadAsync(options.BootstrapServers, options.TopicOf(type));

    public KafkaEventLog NewLog(IRecordStore of, IEventObserver? tally = null, ChangeSignal? signal = null) => new(of, options, signal ?? new(), Poll, tally, Kafka, TimeProvider.System);

    protected override string Describe() => string.Join(Environment.NewLine, [$"{Kafka.PublishedEvents} published", .. Kafka.Lines.TakeLast(20)]);

    protected override EventProcess Open(ProcessStore store, ChangeSignal signal, EventTally tally)
    {
        var log = NewLog(store, tally, signal);
        var stopping = new CancellationTokenSource();
        var jobs = new LeasedJobs(store, new(Runs: Relays, SoleProcess: false, LeaseTime), TimeProvider.System);
        var relaying = jobs.RunAsync("event-relay", log.RelayAsync, stopping.Token);
        return new(log, store, signal, tally, async () =>
        {
            await stopping.CancelAsync();
            await relaying;
            log.Dispose();
            stopping.Dispose();
        });
    }

    protected override ValueTask CloseAsync() => Store.DisposeAsync();
}

/// <summary>What was told of Kafka itself.</summary>
internal sealed class KafkaTally : IKafkaObserver
{
    private long _published;
    private int _relayFailures;
    private int _unreadable;
    private int _caughtUp;

    public long PublishedEvents => Interlocked.Read(ref _published);

    public int RelayFailures => Volatile.Read(ref _relayFailures);

    public int UnreadableMessages => Volatile.Read(ref _unreadable);

    public int CaughtUpEvents => Volatile.Read(ref _caughtUp);

    public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

    public void Published(int events) => Interlocked.Add(ref _published, events);

    public void RelayFailed(Exception why)
    {
        Lines.Enqueue($"relay: {why.GetType().Name} {why.Message}");
        Interlocked.Increment(ref _relayFailures);
    }

    public void Trouble(string client, string code, string reason) => Lines.Enqueue($"{client}: {code} {reason}");

    public void Unreadable(string topic, int partition, long offset) => Interlocked.Increment(ref _unreadable);

    public void CaughtUp(string group, string lane, int events) => Interlocked.Add(ref _caughtUp, events);
}

/// <summary>Everything that lies in a topic, as any tool would read it.</summary>
internal static class TopicReader
{
    public static Task<IReadOnlyList<ConsumeResult<byte[], byte[]>>> ReadAsync(string bootstrap, string topic) => Task.Run<IReadOnlyList<ConsumeResult<byte[], byte[]>>>(() =>
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = $"reader-{Guid.NewGuid():N}",
            EnablePartitionEof = true,
            EnableAutoCommit = false,
            AllowAutoCreateTopics = false,
        }).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).SetErrorHandler((_, _) => { }).Build();
        var found = admin.GetMetadata(topic, TimeSpan.FromSeconds(20)).Topics[0];
        if (found.Error.IsError)
        {
            return [];
        }
        consumer.Assign(found.Partitions.Select(partition => new TopicPartitionOffset(topic, partition.PartitionId, Offset.Beginning)));
        var messages = new List<ConsumeResult<byte[], byte[]>>();
        for (var ends = 0; ends < found.Partitions.Count;)
        {
            var result = consumer.Consume(TimeSpan.FromSeconds(30));
            Assert.True(result is not null, $"{topic} cannot be read to its end.");
            ends += result.IsPartitionEOF ? 1 : 0;
            if (!result.IsPartitionEOF)
            {
                messages.Add(result);
            }
        }
        return messages;
    });

    public static string? Header(ConsumeResult<byte[], byte[]> result, string name) =>
        result.Message.Headers.TryGetLastBytes(name, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;
}
