using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Events.Kafka.Clients;

/// <param name="Id">The same for as long as it is the same topic; another once it was deleted and made anew.</param>
internal sealed record TopicState(long Id, int Partitions);

/// <summary>Questions about the cluster, and the making of topics.</summary>
internal sealed class KafkaAdmin(KafkaClients clients, KafkaEventsOptions options) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lazy<IAdminClient> _client = new(clients.NewAdmin);

    /// <returns>Null where there is no such topic.</returns>
    /// <exception cref="KafkaException">The cluster does not answer.</exception>
    public async Task<TopicState?> FindAsync(string topic)
    {
        DescribeTopicsResult answer;
        try
        {
            answer = await _client.Value.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]), new() { RequestTimeout = Patience }).ConfigureAwait(false);
        }
        catch (DescribeTopicsException e) when (e.Results.TopicDescriptions is [{ Error.Code: ErrorCode.UnknownTopicOrPart }])
        {
            return null;
        }
        return answer.TopicDescriptions is [{ Error.IsError: false } found]
            ? new(found.TopicId.MostSignificantBits ^ found.TopicId.LeastSignificantBits, found.Partitions.Count)
            : answer.TopicDescriptions is [{ Error.Code: ErrorCode.UnknownTopicOrPart }] ? null : throw new KafkaException(answer.TopicDescriptions[0].Error);
    }

    /// <summary>Another may be first.</summary>
    /// <exception cref="KafkaException">The cluster does not answer, or will not have it.</exception>
    public async Task CreateAsync(string topic)
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
            await _client.Value.CreateTopicsAsync([specification], new() { RequestTimeout = Patience, OperationTimeout = Patience }).ConfigureAwait(false);
        }
        catch (CreateTopicsException e) when (e.Results is [{ Error.Code: ErrorCode.TopicAlreadyExists }])
        {
            // Another was first.
        }
    }

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
    public int? TryCountBrokers(TimeSpan limit)
    {
        try
        {
            return _client.Value.GetMetadata(limit).Brokers.Count;
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        if (_client.IsValueCreated)
        {
            _client.Value.Dispose();
        }
    }

    private async Task<long> OffsetAsync(TopicPartition partition, OffsetSpec spec)
    {
        var answer = await _client.Value.ListOffsetsAsync(
            [new() { TopicPartition = partition, OffsetSpec = spec }], new() { RequestTimeout = Patience }).ConfigureAwait(false);
        return answer.ResultInfos[0].TopicPartitionOffsetError.Offset.Value;
    }
}
