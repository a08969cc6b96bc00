using FhirCore.Messages;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Sending;

/// <summary>What is learned of an address from what a provider said.</summary>
internal enum AddressNews
{
    None,
    OptedOut,
    /// <summary>Nothing ever arrives there.</summary>
    Bad,
}

/// <param name="Message">As it is to be written.</param>
/// <param name="Note">Null where there is nothing to write down yet.</param>
internal sealed record Outcome(StoredMessage Message, CommunicationNote? Note, AddressNews News = AddressNews.None, string? Code = null);

/// <summary>
/// What follows from what a provider said: another attempt, another channel, or the end. Pure: the same message, word and time give the
/// same outcome, but for the jitter that is given.
/// </summary>
internal static class Outcomes
{
    /// <summary>After so many attempts that ended with "later", another channel is tried where there is one.</summary>
    public const int PatienceWithOneChannel = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan MendingPause = TimeSpan.FromMinutes(5);

    /// <summary>After an attempt whose end is not known, the provider is asked, or the attempt repeated.</summary>
    public static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(30);

    /// <param name="message">In the state <see cref="MessageState.Sending"/>.</param>
    /// <param name="result">Of the attempt, or of asking about it.</param>
    /// <param name="remembers">The provider can be asked.</param>
    /// <param name="others">There is another channel to try.</param>
    /// <param name="jitter">0 to 1.</param>
    public static Outcome Of(string id, StoredMessage message, MessageResult result, bool remembers, bool others, DateTimeOffset now, double jitter)
    {
        var attempt = message.Attempt ?? throw new ArgumentException("A message that is being sent has an attempt.", nameof(message));
        switch (result)
        {
            case MessageResult.Accepted taken:
                return new(
                    message with { State = MessageState.Done, Attempt = attempt with { ProviderId = taken.ProviderId } },
                    Note(id, message, "completed", null, null, now) with { ProviderId = taken.ProviderId });

            case MessageResult.Later later:
                var attempts = message.Attempts + 1;
                if (attempts >= PatienceWithOneChannel && others)
                {
                    return GiveUp(id, message, "provider-busy", later.Code, now);
                }
                var due = now + Longer(Backoff(attempts, jitter), later.After ?? TimeSpan.Zero);
                return due >= message.NotAfter
                    ? others ? GiveUp(id, message, "provider-busy", later.Code, now) : End(id, message, "not-done", "too-late", later.Code, now)
                    : new(message with { State = MessageState.Pending, Attempts = attempts, Due = due }, null, Code: later.Code);

            case MessageResult.Unknown unknown:
                var unknowns = message.Unknowns + 1;
                if (!remembers && message.Repeated)
                {
                    // One repetition is risked, so that nothing is lost; a second one would be too much.
                    return End(id, message, "unknown", "no-answer", unknown.Code, now);
                }
                // A provider that can be asked is asked until it answers, or until the message is of no use.
                var ask = now + Longer(AskAfter, remembers ? Backoff(unknowns, jitter) : TimeSpan.Zero);
                return ask >= message.NotAfter + (remembers ? LongestPause : TimeSpan.Zero)
                    ? End(id, message, "unknown", "no-answer", unknown.Code, now)
                    : new(message with { State = MessageState.Sending, Unknowns = unknowns, Due = ask }, null, Code: unknown.Code);

            case MessageResult.Refused { Why: MessageRefusal.Configuration } refused when !others:
                // Nobody can be reached until someone mends the settings: that may be soon.
                var mended = now + MendingPause;
                return mended >= message.NotAfter
                    ? End(id, message, "not-done", "configuration", refused.Code, now)
                    : new(message with { State = MessageState.Pending, Due = mended }, null, Code: refused.Code);

            case MessageResult.Refused refused:
                return GiveUp(id, message, Reason(refused.Why), refused.Code, now) with
                {
                    News = refused.Why switch { MessageRefusal.OptedOut => AddressNews.OptedOut, MessageRefusal.BadAddress => AddressNews.Bad, _ => AddressNews.None },
                };

            default:
                throw new ArgumentOutOfRangeException(nameof(result), result, "Say here what follows.");
        }
    }

    /// <summary>What follows from finding a message that is being sent, and nobody sending it: whoever did has died, or got no answer. For channels that cannot be asked.</summary>
    public static Outcome OfOrphan(string id, StoredMessage message, DateTimeOffset now) => message.Repeated || now >= message.NotAfter
        ? End(id, message, "unknown", "no-answer", null, now)
        : new(message with { State = MessageState.Pending, Repeated = true, Due = now }, null);

    /// <summary>What a provider tells of a message that it has taken.</summary>
    /// <returns>Null where it changes nothing.</returns>
    public static Outcome? OfReport(string id, StoredMessage message, MessageResult report, DateTimeOffset now)
    {
        if (message is not { State: MessageState.Done, Attempt: { ProviderId: not null } attempt } || message.GivenUp.Contains(attempt.Channel))
        {
            return null;
        }
        if (report is MessageResult.Accepted)
        {
            return message.Delivered ? null : new(
                message with { Delivered = true }, Note(id, message, "completed", null, null, attempt.Since) with { ProviderId = attempt.ProviderId, Received = now });
        }
        var (reason, code, news) = report switch
        {
            MessageResult.Refused refused => (Reason(refused.Why), refused.Code, refused.Why switch { MessageRefusal.OptedOut => AddressNews.OptedOut, MessageRefusal.BadAddress => AddressNews.Bad, _ => AddressNews.None }),
            MessageResult.Later later => ("provider-busy", later.Code, AddressNews.None),
            _ => throw new ArgumentOutOfRangeException(nameof(report), report, "A report says that it arrived or that it did not."),
        };
        var note = Note(id, message, "stopped", reason, code, attempt.Since) with { ProviderId = attempt.ProviderId };
        var next = message with { State = now < message.NotAfter ? MessageState.Pending : MessageState.Done, Due = now, Attempts = 0, Unknowns = 0, Repeated = false };
        // Where the provider was only busy the same channel is tried once more; after that, and for everything else, the next one.
        return report is MessageResult.Later busy && message.Attempts == 0
            ? new(next with { Attempts = 1, Due = now + (busy.After ?? FirstPause) }, note, news, code)
            : new(next with { GivenUp = [.. message.GivenUp, attempt.Channel] }, note, news, code);
    }

    /// <summary>The present channel is of no use: another may be.</summary>
    private static Outcome GiveUp(string id, StoredMessage message, string reason, string? code, DateTimeOffset now) => new(
        message with { State = MessageState.Pending, Due = now, Attempts = 0, Unknowns = 0, Repeated = false, GivenUp = [.. message.GivenUp, message.Attempt!.Channel] },
        Note(id, message, "not-done", reason, code, null), Code: code);

    private static Outcome End(string id, StoredMessage message, string status, string reason, string? code, DateTimeOffset now) =>
        new(message with { State = MessageState.Done, Due = now }, Note(id, message, status, reason, code, status == "unknown" ? message.Attempt?.Since : null), Code: code);

    /// <param name="sent">When it was given to the provider; null where it was not.</param>
    public static CommunicationNote Note(string id, StoredMessage message, string status, string? reason, string? code, DateTimeOffset? sent) => new(
        id, message.Attempt?.Channel, status, reason, code, null, sent, null, message.Topic, message.Recipient, message.Patient, message.Appointment, message.Start);

    public static string Reason(MessageRefusal why) => why switch
    {
        MessageRefusal.BadAddress => "bad-address",
        MessageRefusal.OptedOut => "opted-out",
        MessageRefusal.Content => "content",
        MessageRefusal.Configuration => "configuration",
        MessageRefusal.Unreachable => "unreachable",
        _ => throw new ArgumentOutOfRangeException(nameof(why), why, "Give the new reason a code."),
    };

    /// <summary>Doubles, and is drawn between half of it and the whole, so that what failed together does not come back together.</summary>
    private static TimeSpan Backoff(int attempt, double jitter)
    {
        var whole = FirstPause * Math.Pow(2, Math.Min(attempt - 1, 10));
        return (whole < LongestPause ? whole : LongestPause) * (0.5 + (0.5 * jitter));
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
