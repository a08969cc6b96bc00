using System.Text.Json;
using FhirCore;
using Subscriptions.Definitions;
using Subscriptions.Tests.Support;

namespace Subscriptions.Tests.Definitions;

/// <summary>Channels that the black-box checks cannot have at hand: their server has neither a mail server nor Kafka.</summary>
public sealed class ChannelTests
{
    private const string Topic = "urn:fhir-server:topic:appointment";

    private const string KafkaType = $$"""
        "type":"rest-hook","_type":{"extension":[{"url":"{{Backport.ChannelType}}","valueCoding":{"system":"{{Backport.OwnChannelTypes}}","code":"{{Backport.Kafka}}"} }]}
        """;

    [Theory]
    [InlineData("mailto:desk@clinic.example", "text/plain", "empty", null)]
    [InlineData("desk@clinic.example", "text/plain;attach=application/fhir+json", "id-only", null)]
    [InlineData("desk@clinic.example", "text/plain", "full-resource", "Subscription.channel.payload.extension")]
    [InlineData("desk@clinic.example", "application/fhir+json", "id-only", "Subscription.channel.payload")]
    [InlineData("desk@clinic.example", "text/html", "id-only", "Subscription.channel.payload")]
    [InlineData("desk@clinic.example", "text/plain;attach=application/pdf", "id-only", "Subscription.channel.payload")]
    [InlineData("desk@clinic.example,else@clinic.example", "text/plain", "empty", "Subscription.channel.endpoint")]
    [InlineData("mailto:desk@clinic.example?bcc=else@clinic.example", "text/plain", "empty", "Subscription.channel.endpoint")]
    [InlineData("Desk <desk@clinic.example>", "text/plain", "empty", "Subscription.channel.endpoint")]
    [InlineData("desk@clinic.example\\r\\nBcc: else@clinic.example", "text/plain", "empty", "Subscription.channel.endpoint")]
    [InlineData("desk@localhost", "text/plain", "empty", "Subscription.channel.endpoint")]
    [InlineData("https://clinic.example", "text/plain", "empty", "Subscription.channel.endpoint")]
    [InlineData(null, "text/plain", "empty", "Subscription.channel.endpoint")]
    public async Task Email_IsOneMailbox_AndTextAlone(string? endpoint, string payload, string content, string? refusedAt) =>
        Assert.Equal(refusedAt, await ReadAsync("\"type\":\"email\"", endpoint, payload, content));

    [Fact]
    public async Task Email_WithResources_NeedsTheSetting() =>
        Assert.Null(await ReadAsync("\"type\":\"email\"", "desk@clinic.example", "text/plain;attach=application/fhir+json", "full-resource", options: options => options.EmailFullResource = true));

    /// <summary>What lies in Kafka can be read by whoever reads the topic, and no erasure reaches it.</summary>
    [Theory]
    [InlineData("empty", false, null)]
    [InlineData("id-only", false, null)]
    [InlineData("full-resource", false, "Subscription.channel.payload.extension")]
    [InlineData("full-resource", true, null)]
    public async Task Kafka_WithResources_NeedsTheSetting(string content, bool allowed, string? refusedAt) =>
        Assert.Equal(refusedAt, await ReadAsync(KafkaType, null, "application/fhir+json", content, offer => offer with { Stream = true }, options => options.KafkaFullResource = allowed));

    /// <summary>R4's own payload is the resource.</summary>
    [Theory]
    [InlineData("", false, null)]
    [InlineData(""","payload":"application/fhir+json" """, false, "Subscription.channel.payload")]
    [InlineData(""","payload":"application/fhir+json" """, true, null)]
    public async Task Kafka_WithCriteriaAndPayload_NeedsTheSetting(string payload, bool allowed, string? refusedAt) =>
        Assert.Equal(refusedAt, await ReadAsync($$"""
            {"resourceType":"Subscription","id":"s","status":"requested","reason":"r","criteria":"Observation?code=a","channel":{ {{KafkaType}}{{payload}} } }
            """, offer => offer with { Stream = true }, options => options.KafkaFullResource = allowed));

    [Theory]
    [InlineData("kafka", true, null, null)]
    [InlineData("kafka", true, "broker:9092", "Subscription.channel.endpoint")]
    [InlineData("kafka", false, null, "Subscription.channel.type.extension")]
    [InlineData("carrier-pigeon", true, null, "Subscription.channel.type.extension")]
    public async Task OwnChannelTypes_AreNamedByTheExtension(string code, bool hasStream, string? endpoint, string? refusedAt)
    {
        var type = $$"""
            "type":"rest-hook","_type":{"extension":[{"url":"{{Backport.ChannelType}}","valueCoding":{"system":"{{Backport.OwnChannelTypes}}","code":"{{code}}"} }]}
            """;
        Assert.Equal(refusedAt, await ReadAsync(type, endpoint, "application/fhir+json", "id-only", offer => offer with { Stream = hasStream }));
    }

    [Fact]
    public async Task Email_WithoutMailServer_IsRefused() =>
        Assert.Equal("Subscription.channel.type", await ReadAsync("\"type\":\"email\"", "desk@clinic.example", "text/plain", "empty", offer => offer with { Email = false }));

    [Theory]
    [InlineData("email", false)]
    [InlineData("rest-hook", true)]
    public async Task Heartbeat_IsNotSentByEmail(string type, bool taken)
    {
        var refusedAt = await ReadAsync(
            $"\"type\":\"{type}\"", type == "email" ? "desk@clinic.example" : "https://clinic.example/hook", type == "email" ? "text/plain" : "application/fhir+json", "empty",
            more: $$""","extension":[{"url":"{{Backport.HeartbeatPeriod}}","valueUnsignedInt":60}]""");
        Assert.Equal(taken ? null : "Subscription.channel.extension", refusedAt);
    }

    /// <returns>Where it is refused.</returns>
    private static Task<string?> ReadAsync(
        string type, string? endpoint, string payload, string content, Func<ChannelOffer, ChannelOffer>? offer = null, Action<SubscriptionOptions>? options = null, string more = "") =>
        ReadAsync($$"""
            {"resourceType":"Subscription","id":"s","status":"requested","reason":"r","criteria":"{{Topic}}",
             "channel":{ {{type}}{{(endpoint is null ? "" : $",\"endpoint\":\"{endpoint}\"")}},"payload":"{{payload}}",
               "_payload":{"extension":[{"url":"{{Backport.PayloadContent}}","valueCode":"{{content}}"}]}{{more}} } }
            """, offer, options);

    private static async Task<string?> ReadAsync(string subscription, Func<ChannelOffer, ChannelOffer>? offer, Action<SubscriptionOptions>? options)
    {
        using var house = await House.OpenAsync(options);
        var reader = new DefinitionReader(house.Filters, offer?.Invoke(house.Offer) ?? house.Offer, house.Options);
        using var document = JsonDocument.Parse(subscription);
        var outcome = reader.Read(new("Subscription", "s"), document.RootElement, await house.Topics.ReadAsync(default));
        return outcome.TryGet(out _, out FhirFailure? failure) ? null : failure.Issues[0].Expression;
    }
}
