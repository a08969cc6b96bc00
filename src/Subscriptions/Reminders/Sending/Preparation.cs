using System.Collections.Immutable;
using FhirCore.Attendance;
using FhirCore.Messages;
using FhirStore.Sealed;
using NodaTime;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Sending;

/// <summary>What is to be done with a message that is due.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>The visit is not what the message says, and nothing was tried yet: the record goes.</summary>
    internal sealed record Withdraw : Step;

    /// <summary>Nothing is sent now.</summary>
    internal sealed record Settle(Outcome Outcome) : Step;

    /// <summary>It may have been sent already: the provider is asked.</summary>
    internal sealed record Ask(OutgoingMessage Message, DateTimeOffset Since, bool Others) : Step;

    /// <param name="Claimed">As it is written before anything is sent.</param>
    /// <param name="Messages">One for each address.</param>
    /// <param name="Visit">The appointment, which must still stand at its version; null for a digest.</param>
    /// <param name="Others">There is another channel to try.</param>
    /// <param name="Address">What is written of the number in the same commit; null where nothing is.</param>
    internal sealed record Send(StoredMessage Claimed, ImmutableArray<OutgoingMessage> Messages, Visit? Visit, bool Others, AddressEntry? Address) : Step;
}

/// <summary>Looks at a message that is due and at everything it is about, and says what to do with it.</summary>
internal sealed class Preparation(
    ReminderRecords records, FactsReader reader, AddressBook addresses, DayList days, Composer composer, MessageChannels channels, INoShowRisk? risk, ReminderOptions options, TimeProvider clock)
{
    /// <summary>A message found in the state of being sent so long after is nobody's: longer than a claim is good for and an attempt lasts.</summary>
    private static readonly TimeSpan Orphaned = TimeSpan.FromMinutes(1);

    /// <summary>What is so late was perhaps sent before a backup was put back: where the provider can tell, it is asked first.</summary>
    private static readonly TimeSpan LateEnoughToAsk = TimeSpan.FromMinutes(10);

    /// <summary>What was planned for this very time, be it at night because the morning were too late, is not held up again.</summary>
    private static readonly TimeSpan OnTime = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan TooLateInTheMorning = TimeSpan.FromHours(3);

    /// <summary>So many of one person's apps are told, the newest first.</summary>
    private const int MostApps = 5;

    /// <param name="batch">What earlier messages of the same batch make of addresses, by id.</param>
    public async ValueTask<Step> PrepareAsync(Sealed<StoredMessage> message, IReadOnlyDictionary<string, AddressEntry> batch, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var stored = message.Value;
        var facts = await reader.ReadAsync(stored, ct);
        if (stored.State == MessageState.Sending)
        {
            return await OrphanAsync(message.Id, stored, facts, batch, now, ct);
        }
        if (!await reader.StillStandsAsync(stored, facts, ct))
        {
            return stored is { Attempt: null, GivenUp.Count: 0 } ? new Step.Withdraw() : Done(stored);
        }
        if (now >= stored.NotAfter)
        {
            return NotSent(message.Id, stored, "too-late", stored.Attempt?.Channel);
        }
        if (stored is { OnlyAtHighRisk: true, Attempt: null, GivenUp.Count: 0 } && !await IsAtHighRiskAsync(facts, ct))
        {
            return Done(stored);
        }
        if (stored.Topic == MessageTopic.Digest)
        {
            return await DigestAsync(message.Id, stored, facts, now, ct);
        }
        return QuietUntil(stored, facts, now) is { } later
            ? new Step.Settle(new(stored with { Due = later }, null))
            : await ChooseAsync(message.Id, stored, facts, batch, now, ct);
    }

    /// <summary>Asked when it would go out: by then most is known.</summary>
    private async ValueTask<bool> IsAtHighRiskAsync(Facts facts, CancellationToken ct) =>
        risk is not null && facts.Visit is { } visit && await risk.OfAsync(new("Appointment", visit.Id), ct) is { IsHigh: true };

    /// <returns>When it may go out, where it may not now.</returns>
    private DateTimeOffset? QuietUntil(StoredMessage message, Facts facts, DateTimeOffset now)
    {
        var isNotice = message.Topic != MessageTopic.Reminder;
        if (options.Quiet is not { } quiet || message.Route == MessageRoute.Mail || (isNotice && now - message.Due < OnTime && message.Attempts == 0))
        {
            return null;
        }
        var at = Instant.FromDateTimeOffset(now);
        var next = quiet.NextAllowed(at, facts.Here);
        return next == at || (isNotice && next.ToDateTimeOffset() > message.NotAfter - TooLateInTheMorning) ? null : next.ToDateTimeOffset();
    }

    /// <summary>A way to reach the person.</summary>
    /// <param name="Address">What is known of the number or mailbox; null for apps.</param>
    private readonly record struct Way(MessageChannelKind Kind, ImmutableArray<string> To, AddressEntry? Address);

    private async ValueTask<Step> ChooseAsync(
        string id, StoredMessage message, Facts facts, IReadOnlyDictionary<string, AddressEntry> batch, DateTimeOffset now, CancellationToken ct)
    {
        var (ways, why, where) = await WaysAsync(id, message, facts, batch, now, ct);
        if (ways is [var way, ..])
        {
            return Claim(id, message, facts, way, others: ways.Count > 1, now);
        }
        // What other channels were tried for is written down already; and who gets the same by mail has been told.
        var hasMail = facts.Channels.Contains(MessageChannelKind.Email) && !facts.Person.Emails.IsEmpty;
        var isToldOtherwise = message.GivenUp.Count > 0 || facts.IsStaff || (message.Route == MessageRoute.Phone && where is null && hasMail);
        return isToldOtherwise ? Done(message) : NotSent(id, message, why, where);
    }

    /// <returns>The ways that are open, in their order, at most one of each kind; and what speaks against the last one that is not.</returns>
    private async ValueTask<(List<Way> Ways, string Why, MessageChannelKind? Where)> WaysAsync(
        string id, StoredMessage message, Facts facts, IReadOnlyDictionary<string, AddressEntry> batch, DateTimeOffset now, CancellationToken ct)
    {
        var ways = new List<Way>();
        var (why, where) = ("no-address", (MessageChannelKind?)null);
        foreach (var kind in facts.Channels.Where(kind => !message.GivenUp.Contains(kind) && IsOn(message.Route, kind)))
        {
            if (kind == MessageChannelKind.Push)
            {
                var apps = facts.IsStaff ? [] : await records.Devices.QueryAsync(records.OfPatient(facts.Recipient.Id), ct).ToListAsync(ct);
                if (apps.Count > 0)
                {
                    ways.Add(new(kind, [.. apps.OrderByDescending(app => app.Value.At).Take(MostApps).Select(app => app.Value.Token)], null));
                }
                continue;
            }
            foreach (var address in kind == MessageChannelKind.Sms ? facts.Person.Numbers : facts.Person.Emails)
            {
                var entry = batch.TryGetValue(records.AddressId(kind, address), out var known) ? known : await addresses.FindAsync(kind, address, ct);
                if (addresses.Objection(entry.Next, kind, id, message.Topic, now, facts.Here) is not { } objection)
                {
                    ways.Add(new(kind, [address], entry));
                    break;
                }
                (why, where) = (objection, kind);
            }
        }
        return (ways, why, where);
    }

    private static bool IsOn(MessageRoute route, MessageChannelKind kind) => route switch
    {
        MessageRoute.Phone => kind != MessageChannelKind.Email,
        MessageRoute.Mail => kind == MessageChannelKind.Email,
        _ => true,
    };

    private Step Claim(string id, StoredMessage message, Facts facts, Way way, bool others, DateTimeOffset now)
    {
        var composed = composer.Compose(id, message, facts, way.Kind, way.To);
        var claimed = message with
        {
            State = MessageState.Sending,
            Attempt = new(way.Kind, way.To, composed.Messages[0].Text, now),
            Links = [.. message.Links.Union(composed.Links)],
            Due = now + Orphaned,
        };
        if (channels.Of(way.Kind).Remembers && message.Attempt is null && now - message.Due > LateEnoughToAsk)
        {
            return new Step.Settle(new(claimed with { Attempt = claimed.Attempt with { Since = message.Due }, Due = now }, null)); // found again at once, as what may have been sent
        }
        // Only of numbers it is counted what they get; a mailbox is not written about for each mail.
        var noted = way is { Kind: MessageChannelKind.Sms, Address: { } entry } ? entry with { Next = AddressBook.WithMessage(entry.Next, id, message.Topic, now) } : null;
        return new Step.Send(claimed, composed.Messages, facts.Visit, others, noted);
    }

    private async ValueTask<Step> OrphanAsync(string id, StoredMessage message, Facts facts, IReadOnlyDictionary<string, AddressEntry> batch, DateTimeOffset now, CancellationToken ct)
    {
        var attempt = message.Attempt!;
        if (!channels.Has(attempt.Channel) || !channels.Of(attempt.Channel).Remembers)
        {
            return new Step.Settle(Outcomes.OfOrphan(id, message, now));
        }
        var (ways, _, _) = await WaysAsync(id, message, facts, batch, now, ct);
        return new Step.Ask(new() { Id = id, To = attempt.To[0], Text = attempt.Text, NotAfter = message.NotAfter }, attempt.Since, ways.Exists(way => way.Kind != attempt.Channel));
    }

    private async ValueTask<Step> DigestAsync(string id, StoredMessage message, Facts facts, DateTimeOffset now, CancellationToken ct)
    {
        if (options.Digest is null)
        {
            return new Step.Withdraw();
        }
        var visits = facts.Person.Emails.IsEmpty || !channels.Has(MessageChannelKind.Email) ? [] : await days.OfAsync(facts.Recipient, message.Start, facts.There, ct);
        if (visits.Count == 0)
        {
            return Done(message);
        }
        var outgoing = composer.Digest(records.DayId(id, message.Start), message, facts, visits, facts.Person.Emails[0]);
        return new Step.Send(
            message with { State = MessageState.Sending, Attempt = new(MessageChannelKind.Email, [outgoing.To], "", now), Due = now + Orphaned }, [outgoing], null, false, null);
    }

    private static Step.Settle Done(StoredMessage message) => new(new(message with { State = MessageState.Done }, null));

    /// <param name="channel">By which it would have gone; null where there is none.</param>
    private static Step.Settle NotSent(string id, StoredMessage message, string reason, MessageChannelKind? channel)
    {
        var note = Outcomes.Note(id, message, "not-done", reason, null, null) with { Channel = channel };
        return new(new(message with { State = MessageState.Done }, channel is { } tried && message.GivenUp.Contains(tried) ? null : note));
    }
}
