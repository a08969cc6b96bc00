namespace FhirCore.Messages;

/// <summary>A way to reach one person.</summary>
public enum MessageChannelKind
{
    /// <summary>An app on their phone; <see cref="OutgoingMessage.To"/> is its registration token.</summary>
    Push,
    /// <summary>A phone number in E.164.</summary>
    Sms,
    /// <summary>An e-mail address.</summary>
    Email,
}

/// <summary>A file that goes with an e-mail.</summary>
public sealed record MessageFile(string Name, string ContentType, ReadOnlyMemory<byte> Content);

/// <summary>One message to one person. Neither address nor text goes into a log, an error or a metric.</summary>
public sealed record OutgoingMessage
{
    /// <summary>The same for every attempt to say the same thing, 1 to 64 of letters, digits, '-' and '.'. Providers that can tell repetitions by it are given it.</summary>
    public required string Id { get; init; }

    public required string To { get; init; }

    /// <summary>Without names: it may be shown on a locked screen. Empty where the channel has none.</summary>
    public string Subject { get; init; } = "";

    public required string Text { get; init; }

    /// <summary>The same for e-mail programs that show HTML; null for text alone.</summary>
    public string? Html { get; init; }

    public MessageFile? File { get; init; }

    /// <summary>What an app is told beside the text, such as the id of the appointment.</summary>
    public IReadOnlyDictionary<string, string> Data { get; init; } = new Dictionary<string, string>();

    /// <summary>From then on it would be wrong or useless: providers that queue are told to drop it.</summary>
    public DateTimeOffset? NotAfter { get; init; }
}

/// <summary>Why a message will never arrive as it is.</summary>
public enum MessageRefusal
{
    /// <summary>No such number, mailbox or app: the address is of no use any more.</summary>
    BadAddress,
    /// <summary>The person has asked for nothing more by this channel.</summary>
    OptedOut,
    /// <summary>The provider does not take this text.</summary>
    Content,
    /// <summary>Our account, credentials or sender are wrong: nobody can be reached until someone mends the settings.</summary>
    Configuration,
    /// <summary>The address may be right, but nothing arrives there now (phone off, mailbox full): another channel may do.</summary>
    Unreachable,
}

/// <summary>What became of an attempt: as <see cref="IMessageChannel.SendAsync"/> learned it, or as the provider tells later.</summary>
public abstract record MessageResult
{
    private MessageResult()
    {
    }

    /// <param name="ProviderId">The provider's own id, by which it tells later what became of the message; null where it has none.</param>
    public sealed record Accepted(string? ProviderId) : MessageResult;

    /// <summary>It was not sent; another attempt may succeed.</summary>
    /// <param name="After">As the provider asks; null where it does not say.</param>
    public sealed record Later(string Code, TimeSpan? After) : MessageResult;

    /// <summary>No answer came, or one that does not tell whether it was taken: ask <see cref="IMessageChannel.FindAsync"/> before another attempt.</summary>
    public sealed record Unknown(string Code) : MessageResult;

    public sealed record Refused(MessageRefusal Why, string Code) : MessageResult;
}

/// <summary>A provider that carries messages. Every implementation passes <c>MessageChannelContract</c>.</summary>
/// <remarks>Codes are the provider's own, such as <c>21610</c>; they hold no address.</remarks>
public interface IMessageChannel
{
    MessageChannelKind Kind { get; }

    /// <summary>
    /// The provider can be asked what became of a message, so that one whose answer was lost is never sent twice. Where it is false,
    /// an attempt of unknown end may be repeated under the same <see cref="OutgoingMessage.Id"/>, by which readers tell the copies.
    /// </summary>
    bool Remembers { get; }

    /// <summary>One attempt, bounded in time. Throws when cancelled, and for nothing else.</summary>
    Task<MessageResult> SendAsync(OutgoingMessage message, CancellationToken ct);

    /// <summary>Asks the provider what became of earlier attempts at this message: the same address and text.</summary>
    /// <param name="since">No attempt was made before that.</param>
    /// <returns>
    /// <see cref="MessageResult.Accepted"/> where one was taken, <see cref="MessageResult.Refused"/> where it was taken and has failed since,
    /// <see cref="MessageResult.Later"/> where surely none was taken; <see cref="MessageResult.Unknown"/> where this provider cannot tell, or
    /// does not answer.
    /// </returns>
    Task<MessageResult> FindAsync(OutgoingMessage message, DateTimeOffset since, CancellationToken ct);
}
