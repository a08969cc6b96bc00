using System.Text;
using Confluent.Kafka;
using Events.Kafka.Messages;
using Tests.Shared;

namespace Events.Kafka.Tests;

/// <summary>Notifications for subscribers who read Kafka.</summary>
public sealed class NotificationTopicTests
{
    [Fact]
    public async Task Notifications_OfASubscription_KeepTheirOrder_AndCarryTheirIds()
    {
        var options = KafkaHouse.Options(KafkaServer.BootstrapOrSkip());
        await using var house = new KafkaHouse(options);
        using var log = house.NewLog(house.Store);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async subscription =>
        {
            for (var i = 1; i <= 20; i++)
            {
                var body = Encoding.UTF8.GetBytes($"{subscription} {i}");
                Assert.Equal(NotificationAnswer.Kept, await log.Notifications.AppendAsync($"s{subscription}", $"f{subscription}.{i}-{i}", "application/fhir+json", body, default));
            }
        }));

        var messages = await TopicReader.ReadAsync(options.BootstrapServers, options.Notifications);
        foreach (var one in messages.GroupBy(message => Encoding.UTF8.GetString(message.Message.Key)))
        {
            var number = one.Key[1..];
            Assert.Single(one.Select(message => message.Partition).Distinct());
            Assert.Equal(Enumerable.Range(1, 20).Select(i => ($"{number} {i}", $"f{number}.{i}-{i}")), one.OrderBy(message => message.Offset.Value).Select(message => (Encoding.UTF8.GetString(message.Message.Value), TopicReader.Header(message, HeaderNames.Id)!)));
            Assert.All(one, message => Assert.Equal(
                ("application/fhir+json", $"Subscription/s{number}"), (TopicReader.Header(message, HeaderNames.ContentType), TopicReader.Header(message, HeaderNames.Subject))));
        }
        Assert.Equal(80, messages.Count);
    }

    [Fact]
    public async Task Notification_LargerThanBrokersTake_IsSaidToBe_AndOthersGoOn()
    {
        var options = KafkaHouse.Options(KafkaServer.BootstrapOrSkip());
        await using var house = new KafkaHouse(options);
        using var log = house.NewLog(house.Store);
        Assert.Equal(NotificationAnswer.TooLarge, await log.Notifications.AppendAsync("s", "f.1-1", "application/fhir+json", new byte[2_000_000], default));
        Assert.Equal(NotificationAnswer.Kept, await log.Notifications.AppendAsync("s", "f.2-2", "application/fhir+json", new byte[2_000], default));
    }

    /// <summary>Whoever waits is told, and can try again.</summary>
    [Fact]
    public async Task Kafka_Away_IsSaidInTime()
    {
        await using var house = new KafkaHouse(KafkaHouse.Options($"127.0.0.1:{FreePort.Draw()}"));
        using var log = house.NewLog(house.Store);
        Assert.Equal(NotificationAnswer.Away, await log.Notifications.AppendAsync("s", "f.1-1", "application/fhir+json", new byte[20], default));
    }
}
