using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Tests.Shared;

/// <summary>The engine that a server of this test project runs on: records in the embedded one, events by Kafka, under a prefix for this server alone.</summary>
internal sealed class EngineUnderTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _prefix = KafkaServer.NewPrefix();

    public static bool IsThere => KafkaServer.WhyAbsent is null;

    /// <summary>Whether the server offers the channel type kafka.</summary>
    public static bool HasKafka => true;

    public IReadOnlyList<KeyValuePair<string, string>> Settings() => !IsThere ? [] :
    [
        new("Events:Provider", "Kafka"),
        new("Events:Kafka:BootstrapServers", KafkaServer.BootstrapOrSkip()),
        new("Events:Kafka:TopicPrefix", _prefix),
        new("Events:Kafka:Partitions", "3"),
        new("Events:Kafka:ReplicationFactor", "1"),
    ];

    public async ValueTask DropAsync()
    {
        if (IsThere)
        {
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = KafkaServer.BootstrapOrSkip() }).SetLogHandler(static (_, _) => { }).Build();
            var topics = admin.GetMetadata(Patience).Topics.Select(topic => topic.Topic).Where(topic => topic.StartsWith(_prefix, StringComparison.Ordinal)).ToArray();
            if (topics.Length > 0)
            {
                await admin.DeleteTopicsAsync(topics, new DeleteTopicsOptions { RequestTimeout = Patience });
            }
        }
    }

    /// <summary>Skips the test where the engine is not to be had.</summary>
    public static void SkipIfAbsent()
    {
        if (KafkaServer.WhyAbsent is { } why)
        {
            Assert.Skip(why);
        }
    }
}
