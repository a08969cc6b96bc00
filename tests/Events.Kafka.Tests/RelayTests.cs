using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Events.Contract;
using Events.Kafka.Messages;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;
using Tests.Shared;

namespace Events.Kafka.Tests;

/// <summary>What the relay meets on the way, none of which may hold it up or change what followers are told.</summary>
public sealed class RelayTests
{
    private static readonly EventGroup Group = new("followers", ["Appointment"]);

    /// <summary>The message says that the body is in the store; followers get it from there.</summary>
    [Fact]
    public async Task Body_LargerThanMessagesAre_StaysInTheStore()
    {
        await using var house = KafkaHouse.OnSharedBroker();
        house.Follow(Group);
        await house.HappenAsync(950_000);
        await house.HappenAsync("Appointment", 3);
        await house.HoldsAsync(Group);
        var messages = await house.ReadTopicAsync("Appointment");
        Assert.Equal(["here", "here", "here", "store"], messages.Select(message => TopicReader.Header(message, HeaderNames.Body)!).Order());
    }

    /// <summary>What the brokers take is learnt from what they refuse, so that one large event does not stand in the way of all others.</summary>
    [Fact]
    public async Task Brokers_ThatTakeLessThanUsual_GetLess()
    {
        var options = KafkaHouse.Options(KafkaServer.BootstrapOrSkip());
        await using var house = new KafkaHouse(options);
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = options.BootstrapServers }).Build())
        {
            await admin.CreateTopicsAsync(
            [
                new TopicSpecification { Name = options.TopicOf("Appointment"), NumPartitions = options.Partitions, ReplicationFactor = 1, Configs = new() { ["max.message.bytes"] = "20000" } },
            ]);
        }
        house.Follow(Group);
        await house.HappenAsync("Appointment", 3);
        await house.HappenAsync(50_000);
        await house.HappenAsync("Appointment", 3);
        await house.HoldsAsync(Group);
        Assert.InRange(house.Kafka.RelayFailures, 1, int.MaxValue);
    }

    /// <summary>The lease is late to end: for a moment there are two. Every event is sent, some twice, and each is handled once.</summary>
    [Fact]
    public async Task Relays_TwoAtOnce_ChangeNothing()
    {
        await using var house = KafkaHouse.OnSharedBroker();
        house.Relays = false;
        house.Follow(Group);
        using var stop = new CancellationTokenSource();
        using var one = house.NewLog(house.Store);
        using var other = house.NewLog(house.Store);
        var relaying = Task.WhenAll(one.RelayAsync(stop.Token), other.RelayAsync(stop.Token));
        for (var i = 0; i < 5; i++)
        {
            await house.HappenAsync("Appointment", 40);
        }
        await house.HoldsAsync(Group);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relaying);
    }

    /// <summary>It meets the other relay in the moment in which it is told to stop: it has stopped, and not failed.</summary>
    [Fact]
    public async Task RelayAsync_LosesItsLaneWhileItStops_IsCancelled()
    {
        await using var house = KafkaHouse.OnSharedBroker();
        house.Relays = false;
        using var stop = new CancellationTokenSource();
        var meeting = new ProcessStore(house.Store);
        meeting.Conflicted += stop.Cancel;
        using var one = house.NewLog(meeting);
        var relaying = one.RelayAsync(stop.Token);
        var last = await house.HappenAsync("Appointment", 10);
        await house.UntilAsync(async () => (await ProgressAsync()).Sequence == last, "not everything is relayed");
        var (write, _) = (await ProgressAsync()).To(last, 0, 0, TimeProvider.System.GetUtcNow());
        Assert.IsType<CommitResult.Done>(await house.Store.CommitAsync(Commit.Of(write), default)); // as the other one would

        await house.HappenAsync("Appointment", 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relaying.WaitAsync(TimeSpan.FromMinutes(1)));

        Task<EventProgress> ProgressAsync() => EventProgress.ReadAsync(house.Store, TopicBook.RelayKey, default).AsTask();
    }

    /// <summary>Somebody else writes into our topics: it is counted, passed over, and not read again by whoever comes next.</summary>
    [Fact]
    public async Task Message_OfSomebodyElse_IsPassedOver()
    {
        var options = KafkaHouse.Options(KafkaServer.BootstrapOrSkip());
        await using var house = new KafkaHouse(options);
        await house.RelayedAsync(await house.HappenAsync("Appointment", 10));
        using (var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = options.BootstrapServers }).Build())
        {
            for (var partition = 0; partition < options.Partitions; partition++)
            {
                await producer.ProduceAsync(new TopicPartition(options.TopicOf("Appointment"), partition), new() { Key = "k"u8.ToArray(), Value = "junk"u8.ToArray() });
            }
        }
        var (process, _) = house.Follow(Group);
        await house.HappenAsync("Appointment", 10);
        await house.HoldsAsync(Group);
        Assert.Equal(options.Partitions, house.Kafka.UnreadableMessages);
        Assert.Empty(process.Tally.Dead);
    }
}
