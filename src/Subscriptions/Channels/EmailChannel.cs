using System.Globalization;
using FhirCore.Messages;
using Subscriptions.Definitions;
using Subscriptions.Delivery;

namespace Subscriptions.Channels;

/// <summary>
/// Tells by e-mail, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#email. The text says that something has happened and
/// how often, never what; the notification itself is attached where the payload asks for it.
/// </summary>
public sealed class EmailChannel(IMessageChannel mail, string baseUrl, TimeProvider clock) : IChannel
{
    public ChannelKind Kind => ChannelKind.Email;

    public async Task<SendOutcome> SendAsync(Outgoing outgoing, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(outgoing);
        var attaches = outgoing.Bundle is not null && outgoing.Definition.Payload?.Contains("attach=", StringComparison.OrdinalIgnoreCase) is true;
        var message = new OutgoingMessage
        {
            Id = outgoing.Id,
            To = outgoing.Definition.Endpoint!,
            Subject = outgoing.Type == NotificationType.Handshake ? "Your subscription" : "News for your subscription",
            Text = TextOf(outgoing),
            File = attaches ? new("notification.json", "application/fhir+json", outgoing.Bundle!.Value) : null,
        };
        var since = clock.GetUtcNow();
        var result = await mail.SendAsync(message, ct);
        if (result is MessageResult.Unknown)
        {
            result = await mail.FindAsync(message, since, ct);
        }
        return result switch
        {
            MessageResult.Accepted => SendOutcome.Done,
            MessageResult.Later later => new SendOutcome.Failed("mail-later", later.After),
            MessageResult.Unknown => new SendOutcome.Failed("mail-unknown"),
            MessageResult.Refused { Why: MessageRefusal.OptedOut } => new SendOutcome.Gone("mail-opted-out"),
            MessageResult.Refused { Why: MessageRefusal.BadAddress } => new SendOutcome.Gone("mail-no-such-address"),
            MessageResult.Refused { Why: MessageRefusal.Content } => new SendOutcome.Failed("mail-content-refused", IsAboutContent: true),
            _ => new SendOutcome.Failed("mail-refused"),
        };
    }

    private string TextOf(Outgoing outgoing) => outgoing.Type == NotificationType.Handshake
        ? $"From now on you are told here what happens for {baseUrl}/{outgoing.Definition.Key}.\n\nIf you know nothing of this, ignore this message and tell whoever runs that server.\n"
        : string.Create(CultureInfo.InvariantCulture, $"{outgoing.Events} {(outgoing.Events == 1 ? "event" : "events")} for {baseUrl}/{outgoing.Definition.Key}.\n\nWhat has happened is not in this message: look it up where you are signed in.\n");
}
