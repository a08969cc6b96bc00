using System.Net;
using Confluent.Kafka;

namespace Events.Kafka.Clients;

/// <summary>Makes the driver's clients, all with the same way to the cluster.</summary>
internal sealed class KafkaClients(KafkaEventsOptions options, IKafkaObserver? observer)
{
    public IAdminClient NewAdmin() => new AdminClientBuilder(Common(new AdminClientConfig(), "admin"))
        .SetErrorHandler((_, error) => Report("admin", error))
        .SetLogHandler(static (_, _) => { })
        .Build();

    /// <summary>
    /// Keeps the order of each partition. Without a limit it waits for as long as Kafka is away and leaves no gaps: a message either comes
    /// after all that were sent before it, or the producer stops for good.
    /// </summary>
    /// <param name="largest">Bytes that messages sent together may have, unless one alone has more: brokers judge the whole of them.</param>
    /// <param name="fatal">Told when it has stopped.</param>
    /// <param name="limit">After which a message is given up; it may have been written all the same.</param>
    public IProducer<byte[], byte[]> NewProducer(string name, int largest, Action<Error> fatal, TimeSpan? limit = null)
    {
        var config = Common(
            new ProducerConfig
            {
                Acks = Acks.All,
                EnableIdempotence = true,
                EnableGaplessGuarantee = limit is null,
                MessageTimeoutMs = (int)(limit?.TotalMilliseconds ?? 0), // 0 is without end: one that gives up would leave a gap
                LingerMs = 5,
                BatchSize = largest,
                QueueBufferingMaxKbytes = 256 << 10,
                CompressionType = CompressionType.None, // bodies are ciphertext
                DeliveryReportFields = "none",
            },
            name);
        config.Set("allow.auto.create.topics", "false"); // one that was deleted is made anew as it must be, not as the cluster happens to make them
        return new ProducerBuilder<byte[], byte[]>(config)
            .SetErrorHandler((_, error) =>
            {
                Report(name, error);
                if (error.IsFatal)
                {
                    fatal(error);
                }
            })
            .SetLogHandler(static (_, _) => { })
            .Build();
    }

    /// <param name="configure">Adds what happens on assignment; the handlers run within the consumer's own calls.</param>
    public IConsumer<byte[], byte[]> NewConsumer(string group, Action<ConsumerBuilder<byte[], byte[]>> configure)
    {
        var session = (int)options.SessionTimeout.TotalMilliseconds;
        var config = Common(
            new ConsumerConfig
            {
                GroupId = options.GroupId(group),
                SessionTimeoutMs = session,
                HeartbeatIntervalMs = session / 5,
                PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
                // Where it goes on says the store; Kafka's own offsets follow for whoever watches them.
                AutoOffsetReset = AutoOffsetReset.Error,
                EnableAutoOffsetStore = false,
                EnableAutoCommit = true,
                AutoCommitIntervalMs = 1_000,
                EnablePartitionEof = true, // so that something is heard of every partition, empty ones too
                AllowAutoCreateTopics = false,
                TopicMetadataRefreshIntervalMs = (int)options.TopicRefresh.TotalMilliseconds,
                QueuedMinMessages = 2_000,
                QueuedMaxMessagesKbytes = 16 << 10,
                FetchQueueBackoffMs = 50,
            },
            $"group {group}");
        var builder = new ConsumerBuilder<byte[], byte[]>(config)
            .SetErrorHandler((_, error) => Report($"group {group}", error))
            .SetLogHandler(static (_, _) => { });
        configure(builder);
        return builder.Build();
    }

    private T Common<T>(T config, string name)
        where T : ClientConfig
    {
        config.BootstrapServers = options.BootstrapServers;
        config.ClientId = $"fhir-server {name} on {Dns.GetHostName()}";
        config.EnableMetricsPush = false;
        config.ReconnectBackoffMaxMs = 3_000;
        config.SocketKeepaliveEnable = true;
        if (options.SecurityProtocol is { } protocol)
        {
            config.SecurityProtocol = Enum.Parse<SecurityProtocol>(protocol);
        }
        if (options.SaslMechanism is { } mechanism)
        {
            config.SaslMechanism = Enum.Parse<SaslMechanism>(mechanism);
            config.SaslUsername = options.SaslUsername;
            config.SaslPassword = options.SaslPassword;
        }
        config.SslCaLocation = options.CaFile;
        return config;
    }

    private void Report(string client, Error error) => observer?.Trouble(client, error.Code.ToString(), error.Reason);
}
