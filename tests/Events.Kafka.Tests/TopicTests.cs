using Confluent.Kafka;
using Events.Kafka.Topics;
using FhirCore.Events;
using Tests.Shared;

namespace Events.Kafka.Tests;

/// <summary>Topics that are not what they were.</summary>
public sealed class TopicTests
{
    [Fact]
    public async Task Partitions_ChangedInTheSettings_AreNamedBeforeTheStart()
    {
        var options = KafkaHouse.Options(KafkaServer.BootstrapOrSkip());
        await using var house = new KafkaHouse(options);
        await house.RelayedAsync(await house.HappenAsync("Slot", 3));

        Assert.Empty(await KafkaEventLog.ProblemsAsync(house.Store, options, default));
        var problem = Assert.Single(await KafkaEventLog.ProblemsAsync(house.Store, options with { Partitions = 4 }, default));
        Assert.Contains($"{options.TopicPrefix}slot has 3 partitions and must have 4", problem, StringComparison.Ordinal);
        Assert.Empty(await KafkaEventLog.ProblemsAsync(house.Store, options with { Partitions = 4, TopicPrefix = KafkaServer.NewPrefix() }, default));
    }

    /// <summary>Somebody deletes a topic with all that is in it: what was in it is told out of the change log.</summary>
    [Fact]
    public async Task Topic_DeletedAndMadeAnew_LosesNothing()
    {
        var options = KafkaHouse.Options(KafkaServer.BootstrapOrSkip());
        await using var house = new KafkaHouse(options);
        var group = new EventGroup("deleted", ["Slot"]);
        var first = house.Follow(group);
        await house.HappenAsync("Slot", 30);
        await house.HoldsAsync(group);
        await first.Process.StopAsync();
        await house.RelayedAsync(await house.HappenAsync("Slot", 20)); // nobody has read these
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = options.BootstrapServers }).Build())
        {
            await admin.DeleteTopicsAsync([options.TopicOf("Slot")]);
        }
        await house.HappenAsync("Slot", 10);
        house.Follow(group);
        await house.HappenAsync("Slot", 10);
        await house.HoldsAsync(group);
    }

    /// <summary>A store put back to an earlier state gives numbers again that Kafka knows: what others have written under them is passed over.</summary>
    [Fact]
    public async Task Timeline_ThatEnded_IsPassedOver()
    {
        var options = KafkaHouse.Options(KafkaServer.BootstrapOrSkip());
        await using var house = new KafkaHouse(options);
        await house.RelayedAsync(await house.HappenAsync("Slot", 30));
        await using var restored = new KafkaHouse(options); // on an empty store, under the same prefix
        await Timeline.EndAsync(restored.Store, default);
        var group = new EventGroup("restored", ["Slot"]);
        restored.Follow(group);
        await restored.HappenAsync("Slot", 20);
        await restored.HoldsAsync(group);
    }
}
