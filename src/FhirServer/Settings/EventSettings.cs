using Events.Kafka;

namespace FhirServer.Settings;

/// <summary>Section <c>Events</c>: how changes reach those who follow them.</summary>
/// <param name="Kafka">Null where the change log itself is followed.</param>
public sealed record EventSettings(KafkaEventsOptions? Kafka)
{
    private const string Section = "Events:Kafka:";
    private const string ServersKey = Section + nameof(KafkaEventsOptions.BootstrapServers);

    internal static EventSettings Read(SettingsReader read)
    {
        var isKafka = read.OneOf("Events:Provider", "Outbox", ["Outbox", "Kafka"]) == "Kafka";
        var servers = read.OptionalText(ServersKey);
        var fallback = new KafkaEventsOptions { BootstrapServers = servers ?? "localhost:9092" };
        var options = fallback with
        {
            TopicPrefix = read.Text(Section + nameof(fallback.TopicPrefix), fallback.TopicPrefix),
            Partitions = (int)read.Number(Section + nameof(fallback.Partitions), fallback.Partitions, 1, 500),
            ReplicationFactor = (int)read.Number(Section + nameof(fallback.ReplicationFactor), fallback.ReplicationFactor, 1, 10),
            Retention = read.Time(Section + nameof(fallback.Retention), fallback.Retention, TimeSpan.FromHours(1), TimeSpan.FromDays(3650)),
            SecurityProtocol = read.OptionalText(Section + nameof(fallback.SecurityProtocol)),
            SaslMechanism = read.OptionalText(Section + nameof(fallback.SaslMechanism)),
            SaslUsername = read.OptionalText(Section + nameof(fallback.SaslUsername)),
            SaslPassword = read.OptionalText(Section + nameof(fallback.SaslPassword)),
            CaFile = read.OptionalText(Section + nameof(fallback.CaFile)),
        };
        if (!isKafka)
        {
            return new(Kafka: null);
        }
        if (servers is null)
        {
            read.Refuse(ServersKey, "missing; Events:Provider is Kafka and needs some brokers, such as kafka1:9092,kafka2:9092");
        }
        foreach (var (property, why) in options.Problems())
        {
            read.Refuse(Section + property, why);
        }
        return new(options);
    }
}
