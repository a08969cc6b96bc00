using System.Text;
using Events.Kafka.Messages;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;
using Tests.Shared;

namespace Events.Kafka.Tests;

/// <summary>Kafka is away, loses a broker, is told twice: every follower still has each event once and in order.</summary>
public sealed class FaultTests
{
    private const int Events = 120;

    /// <summary>Commits do not wait for Kafka; they wait in the change log, and are carried over once it is back.</summary>
    [Fact]
    public async Task Kafka_Away_ChangesGoOnAndWait_ThenAllComeInOrder()
    {
        using var cluster = KafkaServer.OwnOrSkip(brokers: 1);
        await using var house = new KafkaHouse(KafkaHouse.Options(cluster.Bootstrap));
        var group = new EventGroup("away", []);
        var (process, _) = house.Follow(group);
        var log = (KafkaEventLog)process.Log;
        await house.HappenAsync("Appointment", Events / 3);
        await house.HoldsAsync(group);

        cluster.Kill(1);
        await house.HappenAsync("Appointment", Events / 3);
        var waiting = await log.BacklogAsync(default);
        await house.HappenAsync("Appointment", Events / 3);
        Assert.InRange(waiting.Events, 1, (await log.BacklogAsync(default)).Events - 1);
        Assert.Contains("change log", await log.CheckAsync(default), StringComparison.Ordinal);

        cluster.Start();
        await house.HoldsAsync(group);
        await house.UntilAsync(async () => (await log.BacklogAsync(default)).Events == 0, "the change log is not drained");
    }

    /// <summary>The relay dies after Kafka has the messages and before its progress says so: the next one sends them again, and nobody handles one twice.</summary>
    [Fact]
    public async Task Relay_KilledBetweenPublishAndMark_RepeatsIds_AndChangesNothing()
    {
        await using var house = KafkaHouse.OnSharedBroker();
        var group = new EventGroup("marked", ["Appointment"]);
        var (first, _) = house.Follow(group);
        await house.RelayedAsync(await house.HappenAsync("Appointment", Events));
        await house.HoldsAsync(group);
        await first.DisposeAsync();

        var progress = await EventProgress.ReadAsync(house.Store, TopicBook.RelayKey, default);
        var (unmarked, _) = progress.To(progress.Sequence / 2, 0, 0, TimeProvider.System.GetUtcNow());
        Assert.IsType<CommitResult.Done>(await house.Store.CommitAsync(Commit.Of(unmarked), default));
        house.Follow(group);
        await house.RelayedAsync(await house.HappenAsync("Appointment", 30));
        await house.HoldsAsync(group);

        var ids = (await house.ReadTopicAsync("Appointment")).Select(message => TopicReader.Header(message, HeaderNames.Id)!).ToArray();
        Assert.Equal(Events + 30, ids.Distinct().Count());
        Assert.InRange(ids.Length, Events + 31, 2 * (Events + 30));
    }

    /// <summary>Each partition has three copies, two of which must have a message: the loss of a broker, by kill -9, loses none and stops nothing.</summary>
    [Fact]
    public async Task Broker_KilledOfThree_LosesNothing()
    {
        using var cluster = KafkaServer.OwnOrSkip(brokers: 3);
        await using var house = new KafkaHouse(KafkaHouse.Options(cluster.Bootstrap) with { ReplicationFactor = 3 });
        var group = new EventGroup("brokers", ["Appointment"]);
        house.Follow(group);
        await house.HappenAsync("Appointment", Events / 2);
        await house.HoldsAsync(group);

        var busy = house.HappenAsync("Appointment", Events / 2);
        cluster.Kill(2);
        await house.RelayedAsync(await busy);
        await house.HoldsAsync(group);
        var bodies = (await house.ReadTopicAsync("Appointment")).ToDictionary(message => TopicReader.Header(message, HeaderNames.Id)!, message => Encoding.UTF8.GetString(message.Message.Value));
        Assert.Equal(Events, bodies.Count); // and none twice: the producer is idempotent
    }
}
