using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Events.Kafka.Clients;

/// <param name="Id">The same for as long as it is the same topic; another once it was deleted and made anew.</param>
internal sealed record TopicState(long Id, int Partitions);

/// <summary>Questions about the cluster, and the making of topics.</summary>
/// <remarks>
/// The driver's client asks the broker that it knows as the controller, and when that one is gone goes on asking it, busily. So a client
/// that got no answer is not asked again: the next question goes to another one, which has looked anew who is there.
/// </remarks>
internal sealed class KafkaAdmin(KafkaClients clients, KafkaEventsOptions options) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private Shared? _current;

    /// <returns>Null where there is no such topic.</returns>
    /// <exception cref="KafkaException">The cluster does not answer.</exception>
    public Task<TopicState?> FindAsync(string topic) => AskAsync<TopicState?>(async client =>
    {
        DescribeTopicsResult answer;
        try
        {
            answer = await client.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]), new() { RequestTimeout = Patience }).ConfigureAwait(false);
        }
        catch (DescribeTopicsException e) when (e.Results.TopicDescriptions is [{ Error.Code: ErrorCode.UnknownTopicOrPart }])
        {
            return null;
        }
        return answer.TopicDescriptions is [{ Error.IsError: false } found]
            ? new(found.TopicId.MostSignificantBits ^ found.TopicId.LeastSignificantBits, found.Partitions.Count)
            : answer.TopicDescriptions is [{ Error.Code: ErrorCode.UnknownTopicOrPart }] ? null : throw new KafkaException(answer.TopicDescriptions[0].Error);
    });

    /// <summary>Another may be first.</summary>
    /// <exception cref="KafkaException">The cluster does not answer, or will not have it.</exception>
    public Task CreateAsync(string topic) => AskAsync(async client =>
    {
        var specification = new TopicSpecification
        {
            Name = topic,
            NumPartitions = options.Partitions,
            ReplicationFactor = (short)options.ReplicationFactor,
            Configs = new()
            {
                ["min.insync.replicas"] = FormattableString.Invariant($"{options.MinInSyncReplicas}"),
                ["retention.ms"] = FormattableString.Invariant($"{(long)options.Retention.TotalMilliseconds}"),
                ["cleanup.policy"] = "delete",
                ["unclean.leader.election.enable"] = "false",
            },
        };
        try
        {
            await client.CreateTopicsAsync([specification], new() { RequestTimeout = Patience, OperationTimeout = Patience }).ConfigureAwait(false);
        }
        catch (CreateTopicsException e) when (e.Results is [{ Error.Code: ErrorCode.TopicAlreadyExists }])
        {
            // Another was first.
        }
        return true;
    });

    /// <returns>Offset of the first message that is still there, and the one that the next will get.</returns>
    /// <exception cref="KafkaException">The cluster does not answer.</exception>
    public async Task<(long Low, long High)> ExtentAsync(TopicPartition partition) =>
        (await OffsetAsync(partition, OffsetSpec.Earliest()).ConfigureAwait(false), await OffsetAsync(partition, OffsetSpec.Latest()).ConfigureAwait(false));

    /// <returns>Offset of the first message written at that time or later; null where there is none.</returns>
    /// <exception cref="KafkaException">The cluster does not answer.</exception>
    public async Task<long?> OffsetAtAsync(TopicPartition partition, DateTimeOffset time)
    {
        var offset = await OffsetAsync(partition, OffsetSpec.ForTimestamp(time.ToUnixTimeMilliseconds())).ConfigureAwait(false);
        return offset < 0 ? null : offset;
    }

    /// <returns>Null where the cluster does not answer in time.</returns>
    public async Task<int?> TryCountBrokersAsync(TimeSpan limit)
    {
        try
        {
            return await AskAsync(client => Task.Run(() => client.GetMetadata(limit).Brokers.Count)).ConfigureAwait(false);
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            Retire();
        }
    }

    private Task<long> OffsetAsync(TopicPartition partition, OffsetSpec spec) => AskAsync(async client =>
    {
        var answer = await client.ListOffsetsAsync([new() { TopicPartition = partition, OffsetSpec = spec }], new() { RequestTimeout = Patience }).ConfigureAwait(false);
        return answer.ResultInfos[0].TopicPartitionOffsetError.Offset.Value;
    });

    private async Task<T> AskAsync<T>(Func<IAdminClient, Task<T>> ask)
    {
        Shared shared;
        lock (_gate)
        {
            shared = _current ??= new(clients.NewAdmin());
            shared.Users++;
        }
        try
        {
            return await ask(shared.Client).ConfigureAwait(false);
        }
        catch (KafkaException)
        {
            lock (_gate)
            {
                if (_current == shared)
                {
                    Retire();
                }
            }
            throw;
        }
        finally
        {
            lock (_gate)
            {
                shared.Users--;
                CloseIfUnused(shared);
            }
        }
    }

    private void Retire()
    {
        if (_current is { } retired)
        {
            _current = null;
            CloseIfUnused(retired);
        }
    }

    /// <summary>Not while others wait for its answers: they would never come.</summary>
    private void CloseIfUnused(Shared shared)
    {
        if (shared.Users == 0 && _current != shared)
        {
            Task.Run(shared.Client.Dispose);
        }
    }

    private sealed class Shared(IAdminClient client)
    {
        public IAdminClient Client => client;

        public int Users { get; set; }
    }
}
