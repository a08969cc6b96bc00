using Events.Kafka;
using Subscriptions.Channels;

namespace FhirServer.Subscriptions;

/// <summary>The stream that the channel type <c>kafka</c> leads to.</summary>
internal sealed class KafkaStream(KafkaEventLog log) : INotificationStream
{
    public async Task<StreamAnswer> AppendAsync(string key, string id, string contentType, ReadOnlyMemory<byte> notification, CancellationToken ct) =>
        await log.Notifications.AppendAsync(key, id, contentType, notification, ct) switch
        {
            NotificationAnswer.Kept => StreamAnswer.Kept,
            NotificationAnswer.TooLarge => StreamAnswer.TooLarge,
            _ => StreamAnswer.Away,
        };
}
