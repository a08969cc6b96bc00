using Confluent.Kafka;

namespace Events.Kafka;

/// <summary>How Kafka is reached, and how its topics are made.</summary>
public sealed record KafkaEventsOptions
{
    private const int LongestPrefix = 30;

    /// <summary>Some of the cluster's brokers: <c>host:port,host:port</c>.</summary>
    public required string BootstrapServers { get; init; }

    /// <summary>Begins the name of every topic and consumer group, so that several servers may share a cluster. Letters, digits, '.' and '-', at most 30.</summary>
    public string TopicPrefix { get; init; } = "fhir.";

    /// <summary>Of each topic, 1 to 500; for ever, since the order of a patient's events rests on it.</summary>
    public int Partitions { get; init; } = 12;

    /// <summary>Copies of each topic that is made, 1 to 10; all but one must have a message before it counts as written.</summary>
    public int ReplicationFactor { get; init; } = 3;

    /// <summary>How long topics that are made keep messages. Whoever comes later is told what is gone out of the change log.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary><c>Plaintext</c>, <c>Ssl</c>, <c>SaslPlaintext</c> or <c>SaslSsl</c>.</summary>
    public string? SecurityProtocol { get; init; }

    /// <summary><c>Plain</c>, <c>ScramSha256</c> or <c>ScramSha512</c>.</summary>
    public string? SaslMechanism { get; init; }

    public string? SaslUsername { get; init; }

    public string? SaslPassword { get; init; }

    /// <summary>PEM file with the authorities that brokers' certificates come from; null for those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>How long a consumer's partitions wait for its sign of life before others have them.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How soon a topic is found that was made elsewhere.</summary>
    public TimeSpan TopicRefresh { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a handler may take to end when its lane goes to another member.</summary>
    public TimeSpan HandOver { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Larger bodies stay in the store, and their messages say so. Bytes, below what brokers take (1 MB unless set).</summary>
    public int LargestBody { get; init; } = 900_000;

    internal int MinInSyncReplicas => Math.Max(1, ReplicationFactor - 1);

    /// <returns>Each property that cannot be used, and why, without quoting a secret.</returns>
    public IEnumerable<(string Property, string Why)> Problems()
    {
        foreach (var server in BootstrapServers.Split(',', StringSplitOptions.TrimEntries))
        {
            var colon = server.LastIndexOf(':');
            if (colon < 1 || server.Contains("://", StringComparison.Ordinal) || !ushort.TryParse(server.AsSpan(colon + 1), out var port) || port == 0)
            {
                yield return (nameof(BootstrapServers), $"'{server}' is not host:port; give some brokers, such as kafka1:9092,kafka2:9092");
            }
        }
        if (TopicPrefix.Length is 0 or > LongestPrefix || TopicPrefix.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-')))
        {
            yield return (nameof(TopicPrefix), $"a prefix has 1 to {LongestPrefix} letters, digits, '.' and '-'");
        }
        if (Unknown<SecurityProtocol>(SecurityProtocol) is { } protocols)
        {
            yield return (nameof(SecurityProtocol), protocols);
        }
        if (SaslMechanism is not null && SaslMechanism is not ("Plain" or "ScramSha256" or "ScramSha512"))
        {
            yield return (nameof(SaslMechanism), $"'{SaslMechanism}' is not one of Plain, ScramSha256, ScramSha512");
        }
        var needsSasl = SecurityProtocol is nameof(Confluent.Kafka.SecurityProtocol.SaslPlaintext) or nameof(Confluent.Kafka.SecurityProtocol.SaslSsl);
        foreach (var (property, value) in new[] { (nameof(SaslMechanism), SaslMechanism), (nameof(SaslUsername), SaslUsername), (nameof(SaslPassword), SaslPassword) })
        {
            if (needsSasl != value is not null)
            {
                yield return (property, needsSasl ? $"needed with SecurityProtocol {SecurityProtocol}" : "is of use with SecurityProtocol SaslPlaintext or SaslSsl only");
            }
        }
        if (CaFile is not null && !File.Exists(CaFile))
        {
            yield return (nameof(CaFile), $"there is no file {CaFile}");
        }
    }

    /// <summary>Without what it holds: a record's own text would show the password.</summary>
    public override string ToString() => nameof(KafkaEventsOptions);

    internal string TopicOf(string type) => TopicPrefix + FhirCore.Events.EventLane.TopicOf(type);

    internal string DeadLetters => TopicPrefix + "dead-letter";

    internal string Notifications => TopicPrefix + "subscription-notifications";

    internal string GroupId(string group) => TopicPrefix + group;

    private static string? Unknown<T>(string? name)
        where T : struct, Enum =>
        name is null || Enum.GetNames<T>().Contains(name, StringComparer.Ordinal) ? null : $"'{name}' is not one of {string.Join(", ", Enum.GetNames<T>())}";
}
