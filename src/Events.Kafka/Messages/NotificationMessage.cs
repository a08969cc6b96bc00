using Confluent.Kafka;

namespace Events.Kafka.Messages;

/// <summary>A notification of a Subscription as a message: key = id of the Subscription, value = the notification as that channel's subscriber asked for it.</summary>
internal static class NotificationMessage
{
    private static readonly byte[] SpecVersion = EventMessage.Bytes("1.0");
    private static readonly byte[] Kind = EventMessage.Bytes("fhir.subscription-notification");

    public static Message<byte[], byte[]> Write(string subscription, string id, byte[] source, string contentType, ReadOnlyMemory<byte> notification) => new()
    {
        Key = EventMessage.Bytes(subscription),
        Value = notification.ToArray(),
        Headers = new()
        {
            { HeaderNames.SpecVersion, SpecVersion },
            { HeaderNames.Id, EventMessage.Bytes(id) },
            { HeaderNames.Source, source },
            { HeaderNames.Kind, Kind },
            { HeaderNames.Subject, EventMessage.Bytes($"Subscription/{subscription}") },
            { HeaderNames.ContentType, EventMessage.Bytes(contentType) },
        },
    };
}
