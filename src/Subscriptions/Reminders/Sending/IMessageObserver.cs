using FhirCore.Messages;

namespace Subscriptions.Reminders.Sending;

/// <summary>Told what becomes of messages: counts and codes, never whose they are.</summary>
public interface IMessageObserver
{
    /// <param name="result">The provider's word, or what was decided without asking it: <c>taken</c>, <c>later</c>, <c>unknown</c>, <c>refused</c>, <c>delivered</c>, <c>not-delivered</c>.</param>
    /// <param name="late">How long after it was due.</param>
    void Attempted(MessageChannelKind channel, string result, TimeSpan late);

    /// <summary>Somebody has to mend the settings of a channel.</summary>
    void Misconfigured(MessageChannelKind channel, string code);

    /// <summary>Messages that cannot be opened were removed: whose they were was erased, or they are damaged.</summary>
    void Unreadable(int count);

    void Failed(Exception why);
}
