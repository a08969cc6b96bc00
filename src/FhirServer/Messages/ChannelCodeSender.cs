using Authorization.Accounts;
using FhirCore;
using FhirCore.Messages;

namespace FhirServer.Messages;

/// <summary>Codes of sign-in, by the channels that reminders take: there is one way to send an SMS, and one to send a mail.</summary>
internal sealed class ChannelCodeSender(IMessageChannel channel, ContactKind kind, TimeProvider clock) : ICodeSender
{
    public ContactKind Kind => kind;

    public async Task SendAsync(CodeMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        var outgoing = new OutgoingMessage { Id = FhirIds.New(clock), To = message.To, Subject = message.Subject, Text = message.Text };
        if (await channel.SendAsync(outgoing, ct) is not MessageResult.Accepted)
        {
            throw new MessageNotTakenException(); // whoever waits for the code asks for another
        }
    }
}

/// <summary>The provider has not taken a message, or has not said that it did.</summary>
internal sealed class MessageNotTakenException : Exception;
