using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Confluent.Kafka;
using Events.Kafka.Clients;
using Events.Kafka.Messages;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Kafka.Topics;

/// <summary>Makes topics, and keeps in the store what must be known of them.</summary>
internal sealed class TopicBook(IRecordStore records, KafkaAdmin admin, KafkaEventsOptions options, TimeProvider clock)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);
    private const int MostLooks = 50;

    private readonly ConcurrentDictionary<string, TopicEntry> _open = new(StringComparer.Ordinal);
    private (string Name, byte[] Bytes)? _timeline;

    /// <summary>How far the relay has come. No group has such a name.</summary>
    public static readonly FhirCore.ResourceKey RelayKey = EventProgress.KeyOf("kafka.relay", EventProgress.AllLanes);

    public async ValueTask<(string Name, byte[] Bytes)> TimelineAsync(CancellationToken ct)
    {
        if (_timeline is not { } known)
        {
            var name = await Timeline.ReadAsync(records, clock, ct).ConfigureAwait(false);
            _timeline = known = (name, EventMessage.Bytes(name));
        }
        return known;
    }

    /// <summary>What was looked at a while ago may not be so any more.</summary>
    public void Forget() => _open.Clear();

    /// <summary>The topic of a type, made where there is none.</summary>
    /// <param name="type">Null where only the topic's name is known.</param>
    /// <exception cref="TopicMismatchException">It has another number of partitions than the settings say.</exception>
    /// <exception cref="KafkaException">The cluster does not answer.</exception>
    public ValueTask<TopicEntry> OpenAsync(string topic, string? type, CancellationToken ct) =>
        _open.TryGetValue(topic, out var known) ? new(known) : new(LookAsync(topic, type, ct));

    /// <summary>The topic as it is at this moment.</summary>
    public async Task<TopicEntry> LookAsync(string topic, string? type, CancellationToken ct)
    {
        var state = await FindOrCreateAsync(topic, ct).ConfigureAwait(false);
        if (state.Partitions != options.Partitions)
        {
            throw new TopicMismatchException(topic, state.Partitions, options.Partitions);
        }
        var origin = Origin(state.Id, (await TimelineAsync(ct).ConfigureAwait(false)).Bytes);
        while (true)
        {
            var entry = await TopicEntry.ReadAsync(records, topic, ct).ConfigureAwait(false);
            if (entry.Version > 0 && entry.Partitions != state.Partitions)
            {
                throw new TopicMismatchException(topic, state.Partitions, entry.Partitions);
            }
            if (entry.Version > 0 && entry.Origin == origin)
            {
                return _open[topic] = entry;
            }
            var wanted = entry with { Partitions = state.Partitions, Origin = origin, Since = await SinceAsync(type, ct).ConfigureAwait(false) };
            await records.CommitAsync(Commit.Of(wanted.Write(clock.GetUtcNow())), ct).ConfigureAwait(false); // whoever was first: it is read again
        }
    }

    /// <returns>One line for each topic whose number of partitions the settings would change.</returns>
    public static async Task<IReadOnlyList<string>> ProblemsAsync(IRecordStore records, KafkaEventsOptions options, CancellationToken ct)
    {
        var page = await records.QueryAsync(new(TopicEntry.RecordType, Predicate.Everything, RecordOrder.ById, null, 10_000), ct).ConfigureAwait(false);
        return [.. page.Records.Select(TopicEntry.Parse)
            .Where(entry => entry.Topic.StartsWith(options.TopicPrefix, StringComparison.Ordinal) && entry.Partitions != options.Partitions)
            .Select(entry => new TopicMismatchException(entry.Topic, entry.Partitions, options.Partitions).Message)];
    }

    private async Task<TopicState> FindOrCreateAsync(string topic, CancellationToken ct)
    {
        var created = false;
        for (var look = 1; ; look++)
        {
            if (await admin.FindAsync(topic).WaitAsync(ct).ConfigureAwait(false) is { } found)
            {
                return found;
            }
            if (!created)
            {
                await admin.CreateAsync(topic).WaitAsync(ct).ConfigureAwait(false);
                created = true;
            }
            else if (look > MostLooks)
            {
                throw new KafkaException(ErrorCode.UnknownTopicOrPart);
            }
            await Task.Delay(LookAgain, clock, ct).ConfigureAwait(false); // brokers learn of it one after another
        }
    }

    /// <summary>
    /// What the relay has published before this topic was there is not in it. Most often that is nothing: the first event of its type makes the
    /// topic. Where the type is not known, its events may have been among them.
    /// </summary>
    private async Task<long> SinceAsync(string? type, CancellationToken ct)
    {
        var published = (await EventProgress.ReadAsync(records, RelayKey, ct).ConfigureAwait(false)).Sequence;
        if (published > 0 && type is not null && (await records.HistoryAsync(new(type, null, null, published + 1, 1), ct).ConfigureAwait(false)).Versions.Count == 0)
        {
            return 0;
        }
        return published;
    }

    private static long Origin(long topic, byte[] timeline) => topic ^ BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(timeline));
}
