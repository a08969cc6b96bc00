namespace Subscriptions;

/// <summary>Names of the Subscriptions R5 Backport 1.1, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/, and our own beside them.</summary>
public static class Backport
{
    private const string Base = "http://hl7.org/fhir/uv/subscriptions-backport/";
    private const string Definition = Base + "StructureDefinition/";

    public const string SubscriptionProfile = Definition + "backport-subscription";
    public const string NotificationProfile = Definition + "backport-subscription-notification-r4";
    public const string StatusProfile = Definition + "backport-subscription-status-r4";
    public const string ServerCapabilities = Base + "CapabilityStatement/backport-subscription-server-r4";
    public const string TopicCapability = Definition + "capabilitystatement-subscriptiontopic-canonical";
    public const string OperationDefinition = Base + "OperationDefinition/backport-subscription-";

    public const string FilterCriteria = Definition + "backport-filter-criteria";
    public const string PayloadContent = Definition + "backport-payload-content";
    public const string HeartbeatPeriod = Definition + "backport-heartbeat-period";
    public const string Timeout = Definition + "backport-timeout";
    public const string MaxCount = Definition + "backport-max-count";
    public const string ChannelType = Definition + "backport-channel-type";

    /// <summary>Where R4 says that a server's websockets are, https://hl7.org/fhir/R4/extension-capabilitystatement-websocket.html.</summary>
    public const string WebSocketCapability = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket";

    /// <summary>On <c>Subscription.channel</c>: the secret that signs rest-hook notifications, https://www.standardwebhooks.com.</summary>
    public const string SigningSecret = "urn:fhir-server:subscription-signing-secret";

    /// <summary>Code system of our own channel types, in <see cref="ChannelType"/>.</summary>
    public const string OwnChannelTypes = "urn:fhir-server:subscription-channel-type";

    public const string Kafka = "kafka";

    /// <summary>System of the tag that says whose Subscription it is; the server sets it.</summary>
    public const string OwnerTag = "urn:fhir-server:subscriber";
}
