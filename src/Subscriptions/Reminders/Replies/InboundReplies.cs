using FhirCore.Messages;
using Subscriptions.Reminders.Links;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Sending;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders.Replies;

/// <summary>What a reply comes to.</summary>
/// <param name="Command">What it asks for; <see cref="ReplyCommand.None"/> where nothing is to be done.</param>
/// <param name="Visit">For <see cref="ReplyCommand.Confirm"/> and <see cref="ReplyCommand.Cancel"/>: what is to be done that to, if it is open still.</param>
/// <param name="Answer">To be said at once; null where nothing is, or where it depends on what comes of the command.</param>
public sealed record Reply(ReplyCommand Command, LinkedVisit? Visit, string? Answer);

/// <summary>
/// SMS that people send: confirm and cancel the visit that the last message to their number spoke of, stop and start messages. The same SMS
/// again does the same again, to the same visit, however often Twilio repeats it.
/// </summary>
public sealed class InboundReplies
{
    /// <summary>How long an SMS is known; nobody repeats one after that.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromDays(400);

    /// <summary>Two machines that answer each other stop soon.</summary>
    private const int MostAnswersADay = 3;

    private readonly ReminderRecords _records;
    private readonly VisitLinks _links;
    private readonly ReplyWords _words;
    private readonly TimeProvider _clock;

    internal InboundReplies(ReminderRecords records, VisitLinks links, LanguageSet languages, TimeProvider clock) =>
        (_records, _links, _words, _clock) = (records, links, new(languages), clock);

    /// <param name="sid">The provider's id of the SMS.</param>
    /// <param name="from">Number in E.164.</param>
    public async Task<Reply> ReadAsync(string sid, string from, string? body, CancellationToken ct)
    {
        var addressId = _records.AddressId(MessageChannelKind.Sms, from);
        var replyId = _records.ReplyId(sid);
        StoredReply? known;
        while ((known = (await _records.Replies.FindAsync(replyId, ct))?.Value) is null)
        {
            // Which visit it is about is written down before anything is done, so that a repetition cannot mean another one.
            var about = (await _records.Addresses.FindAsync(addressId, ct))?.Value.LastMessage;
            await _records.Replies.TryWriteAsync(replyId, new(about, _words.Read(body).ToString(), _clock.GetUtcNow() + Memory), 0, null, ct);
        }
        var command = Enum.Parse<ReplyCommand>(known.Command);
        if (command is ReplyCommand.Stop or ReplyCommand.Start)
        {
            await ChangeAsync(addressId, address => command == ReplyCommand.Start ? AddressBook.WithoutOptOut(address, _clock.GetUtcNow()) : AddressBook.With(address, AddressNews.OptedOut, null, _clock.GetUtcNow()), ct);
            return new(command, null, null); // Twilio answers these itself
        }
        var visit = known.Message is { } message ? await _links.OfMessageAsync(message, ct) : null;
        return command is ReplyCommand.Confirm or ReplyCommand.Cancel && visit is not null
            ? new(command, visit, visit.IsOpen ? null : await MayAnswerAsync(addressId, ct) ? visit.Say("reply.over") : null)
            : new(ReplyCommand.None, null, visit is not null && command != ReplyCommand.Help && await MayAnswerAsync(addressId, ct) ? visit.Say("reply.unknown") : null);
    }

    private async ValueTask<bool> MayAnswerAsync(string addressId, CancellationToken ct)
    {
        var (now, may) = (_clock.GetUtcNow(), false);
        await ChangeAsync(addressId, address =>
        {
            var lately = address.Answered.Where(at => now - at < TimeSpan.FromDays(1)).ToArray();
            may = lately.Length < MostAnswersADay && address.OptedOut is null;
            return may ? AddressBook.Kept(address with { Answered = [.. lately, now] }, now) : address;
        }, ct);
        return may;
    }

    private async Task ChangeAsync(string addressId, Func<StoredAddress, StoredAddress> change, CancellationToken ct)
    {
        while (true)
        {
            var known = await _records.Addresses.FindAsync(addressId, ct);
            var next = change(known?.Value ?? new());
            if (ReferenceEquals(next, known?.Value) || await _records.Addresses.TryWriteAsync(addressId, next, known?.Version ?? 0, null, ct))
            {
                return;
            }
        }
    }
}
