namespace Events.Kafka.Tests;

public sealed class OptionsTests
{
    private static readonly KafkaEventsOptions Good = new() { BootstrapServers = "kafka1:9092, kafka2:9092" };

    public static TheoryData<KafkaEventsOptions, string?> All => new()
    {
        { Good, null },
        { Good with { BootstrapServers = "[::1]:9092" }, null },
        { Good with { BootstrapServers = "kafka1" }, nameof(KafkaEventsOptions.BootstrapServers) },
        { Good with { BootstrapServers = "kafka1:0" }, nameof(KafkaEventsOptions.BootstrapServers) },
        { Good with { BootstrapServers = "https://kafka1:9092" }, nameof(KafkaEventsOptions.BootstrapServers) },
        { Good with { TopicPrefix = "" }, nameof(KafkaEventsOptions.TopicPrefix) },
        { Good with { TopicPrefix = "fhir_" }, nameof(KafkaEventsOptions.TopicPrefix) },
        { Good with { TopicPrefix = new('a', 31) }, nameof(KafkaEventsOptions.TopicPrefix) },
        { Good with { SecurityProtocol = "Tls" }, nameof(KafkaEventsOptions.SecurityProtocol) },
        { Good with { SaslPassword = "hush" }, nameof(KafkaEventsOptions.SaslPassword) },
        { Good with { SecurityProtocol = "SaslSsl", SaslMechanism = "Plain", SaslUsername = "fhir" }, nameof(KafkaEventsOptions.SaslPassword) },
        { Good with { SecurityProtocol = "SaslSsl", SaslMechanism = "Plain", SaslUsername = "fhir", SaslPassword = "hush" }, null },
        { Good with { SecurityProtocol = "SaslSsl", SaslMechanism = "GssApi", SaslUsername = "fhir", SaslPassword = "hush" }, nameof(KafkaEventsOptions.SaslMechanism) },
        { Good with { CaFile = "/no/such/file.pem" }, nameof(KafkaEventsOptions.CaFile) },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(All))]
    public void Options_ThatCannotBeUsed_NameTheProperty_AndNoSecret(KafkaEventsOptions options, string? property)
    {
        Assert.Equal(property is null ? [] : [property], options.Problems().Select(problem => problem.Property));
        Assert.DoesNotContain(options.Problems(), problem => problem.Why.Contains("hush", StringComparison.Ordinal));
    }

    /// <summary>Whoever follows all types asks for names without a hyphen: these two are not among them.</summary>
    [Fact]
    public void Topics_ThatAreNoTypes_HaveAHyphen() => Assert.All([Good.DeadLetters, Good.Notifications], topic => Assert.Contains('-', topic));
}
