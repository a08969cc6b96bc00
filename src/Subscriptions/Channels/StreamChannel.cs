using Subscriptions.Definitions;
using Subscriptions.Delivery;

namespace Subscriptions.Channels;

/// <summary>A stream of records that others read: Kafka. Implemented where it is known; without it the channel is not offered.</summary>
public interface INotificationStream
{
    /// <summary>Appends, and returns once it is kept. Records of one key keep their order.</summary>
    /// <param name="key">Id of the Subscription.</param>
    /// <param name="id">The same for a repetition.</param>
    /// <returns>False where it cannot be appended now; it is tried again.</returns>
    Task<bool> AppendAsync(string key, string id, string contentType, ReadOnlyMemory<byte> notification, CancellationToken ct);
}

/// <summary>Appends notifications to a stream, one record each.</summary>
public sealed class StreamChannel(INotificationStream stream) : IChannel
{
    public ChannelKind Kind => ChannelKind.Stream;

    public async Task<SendOutcome> SendAsync(Outgoing outgoing, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(outgoing);
        var body = outgoing.Bundle ?? outgoing.Resource?.Json ?? ReadOnlyMemory<byte>.Empty;
        return await stream.AppendAsync(outgoing.Definition.Key.Id, outgoing.Id, outgoing.Definition.Payload ?? "application/fhir+json", body, ct)
            ? SendOutcome.Done
            : new SendOutcome.Failed("stream-away");
    }
}
