using Subscriptions.Definitions;
using Subscriptions.Delivery;

namespace Subscriptions.Channels;

/// <summary>What became of a record.</summary>
public enum StreamAnswer
{
    /// <summary>It is in the stream, and stays.</summary>
    Kept,
    /// <summary>It cannot be appended now; it is tried again.</summary>
    Away,
    /// <summary>It is larger than the stream takes.</summary>
    TooLarge,
}

/// <summary>A stream of records that others read: Kafka. Implemented where it is known; without it the channel is not offered.</summary>
public interface INotificationStream
{
    /// <summary>Appends, and returns once it is kept. Records of one key keep their order.</summary>
    /// <param name="key">Id of the Subscription.</param>
    /// <param name="id">The same for a repetition.</param>
    Task<StreamAnswer> AppendAsync(string key, string id, string contentType, ReadOnlyMemory<byte> notification, CancellationToken ct);
}

/// <summary>Appends notifications to a stream, one record each.</summary>
public sealed class StreamChannel(INotificationStream stream) : IChannel
{
    public ChannelKind Kind => ChannelKind.Stream;

    public async Task<SendOutcome> SendAsync(Outgoing outgoing, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(outgoing);
        var body = outgoing.Bundle ?? outgoing.Resource?.Json ?? ReadOnlyMemory<byte>.Empty;
        return await stream.AppendAsync(outgoing.Definition.Key.Id, outgoing.Id, outgoing.Definition.Payload ?? "application/fhir+json", body, ct) switch
        {
            StreamAnswer.Kept => SendOutcome.Done,
            StreamAnswer.TooLarge => new SendOutcome.Failed("stream-too-large", IsAboutContent: true),
            _ => new SendOutcome.Failed("stream-away"),
        };
    }
}
