using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Conformance.Tests.Subscriptions;
using Tests.Shared;

namespace Conformance.Tests.Kafka;

/// <summary>
/// A channel type of our own, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-channel-type.html: notifications
/// are messages of one topic, keyed by the id of their Subscription.
/// </summary>
public sealed class KafkaChannelTests(ServerUnderTest server)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Subscriber_IsToldOnceInOrder_FromTheHandshakeOn()
    {
        const int changes = 12;
        var patient = await server.AdmitAsync();
        var id = await server.SubscribeAsync(Make("id-only", $"patient={patient}"));
        var expected = new List<string>();
        for (var i = 0; i < changes; i++)
        {
            expected.Add(await server.ObserveAsync(patient));
        }
        var messages = await ReadAsync(id, messages => messages.Skip(1).SelectMany(message => Notice.NumbersOf(message.Bundle)).Contains(changes));

        Notice.IsNotification(messages[0].Bundle, id, "handshake", "requested");
        Assert.All(messages.Skip(1), message => Notice.IsNotification(message.Bundle, id, "event-notification", "active"));
        Assert.Equal(Enumerable.Range(1, changes).Select(i => (long)i), messages.SelectMany(message => Notice.NumbersOf(message.Bundle)));
        Assert.Equal(expected, messages.SelectMany(message => Notice.FocusOf(message.Bundle)).Select(focus => string.Join('/', focus!.Split('/')[^2..])));
        Assert.All(messages, message => Assert.Equal("application/fhir+json", message.Header("content-type")));
        Assert.All(messages, message => Assert.Equal($"Subscription/{id}", message.Header("ce_subject")));
        Assert.Distinct(messages.Select(message => message.Header("ce_id")));
        Assert.Single(messages.Select(message => message.Partition).Distinct());
    }

    /// <summary>What lies in a topic can be read by everybody who may read the topic: whole resources do not go there.</summary>
    [Fact]
    public async Task WholeResources_AreRefused() =>
        Assert.Equal(
            "Subscription.channel.payload.extension",
            (string?)(await server.PostAsync("Subscription", Make("full-resource"))).Refused(HttpStatusCode.UnprocessableEntity).Body!["issue"]![0]!["expression"]![0]);

    private static JsonObject Make(string content, params string[] filters)
    {
        var subscription = Subscribing.ByTopic(Subscribing.PatientTopic, "", content, filters);
        var channel = subscription["channel"]!.AsObject();
        channel.Remove("endpoint");
        channel["_type"] = new JsonObject
        {
            ["extension"] = new JsonArray(new JsonObject
            {
                ["url"] = Subscribing.Extension + "channel-type",
                ["valueCoding"] = new JsonObject { ["system"] = "urn:fhir-server:subscription-channel-type", ["code"] = "kafka" },
            }),
        };
        return subscription;
    }

    /// <summary>As a subscriber would read: every message of the topic, from the beginning on, of which those of one Subscription are its own.</summary>
    private static Task<List<Told>> ReadAsync(string subscription, Func<List<Told>, bool> isEnough) => Task.Run(() =>
    {
        var bootstrap = KafkaServer.BootstrapOrSkip();
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = bootstrap, GroupId = $"reader-{Guid.NewGuid():N}", EnableAutoCommit = false }).Build();
        consumer.Assign(admin.GetMetadata(Limit).Topics
            .Where(topic => topic.Topic.EndsWith(".subscription-notifications", StringComparison.Ordinal))
            .SelectMany(topic => topic.Partitions.Select(partition => new TopicPartitionOffset(topic.Topic, partition.PartitionId, Offset.Beginning))));
        using var limit = new CancellationTokenSource(Limit);
        var told = new List<Told>();
        while (!isEnough(told))
        {
            Assert.False(limit.IsCancellationRequested, $"{told.Count} messages came, not all that were expected.");
            if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } result && Encoding.UTF8.GetString(result.Message.Key) == subscription)
            {
                told.Add(new(JsonNode.Parse(result.Message.Value)!, result.Message.Headers, result.TopicPartition));
            }
        }
        return told;
    });

    private sealed record Told(JsonNode Bundle, Headers Headers, TopicPartition Partition)
    {
        public string Header(string name) => Encoding.UTF8.GetString(Headers.GetLastBytes(name));
    }
}
