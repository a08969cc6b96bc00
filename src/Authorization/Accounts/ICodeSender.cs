namespace Authorization.Accounts;

/// <summary>A short message to one person: a code, an invitation, a notice.</summary>
/// <param name="To">As <see cref="Contact"/> spells it.</param>
/// <param name="Subject">Without names or codes: it may be shown on a locked screen. Channels without subjects leave it out.</param>
/// <param name="Text">Plain text.</param>
public sealed record CodeMessage(string To, string Subject, string Text);

/// <summary>A channel that reaches people outside of this server. One registered for a kind of contact switches the kind on.</summary>
/// <remarks>An adapter never logs the address or the text.</remarks>
public interface ICodeSender
{
    ContactKind Kind { get; }

    /// <summary>Returns when the provider has taken the message; throws when it has not. Called once for a message, by one caller at a time.</summary>
    Task SendAsync(CodeMessage message, CancellationToken ct);
}
