using System.Security.Cryptography;
using System.Text;
using FhirStore.Sealed;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Sending;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders.Links;

/// <summary>Opens the links in messages. A link is good for one purpose, for the time of the visit that the message spoke of, and until then.</summary>
public sealed class VisitLinks
{
    private const int SecretLength = 22;
    private static readonly LinkPurpose[] Purposes = Enum.GetValues<LinkPurpose>();

    private readonly ReminderRecords _records;
    private readonly FactsReader _reader;
    private readonly House _house;
    private readonly ReminderOptions _options;
    private readonly TimeProvider _clock;

    internal VisitLinks(ReminderRecords records, FactsReader reader, House house, LanguageSet languages, ReminderOptions options, TimeProvider clock) =>
        (_records, _reader, _house, Languages, _options, _clock) = (records, reader, house, languages, options, clock);

    public LanguageSet Languages { get; }

    /// <summary>A text where no visit is known.</summary>
    public string Say(Language language, string key)
    {
        ArgumentNullException.ThrowIfNull(language);
        return language[key].Text(place => place switch
        {
            "clinic" => Neutral.Text(_options.ClinicName) is { Length: > 0 } name ? name : language.Plain("clinic.unnamed"),
            "phone" => Neutral.Text(_options.ClinicPhone),
            _ => "",
        });
    }

    /// <returns>Null where no message carries such a link, or its visit is long over.</returns>
    public async ValueTask<LinkedVisit?> OpenAsync(string? secret, CancellationToken ct)
    {
        if (secret is not { Length: SecretLength } || await _records.Messages.FirstAsync(_records.OfLink(secret), ct) is not { } message)
        {
            return null;
        }
        foreach (var purpose in Purposes)
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(secret), Encoding.ASCII.GetBytes(_records.LinkSecret(message.Id, purpose.ToString()))))
            {
                return await LookAsync(message, purpose, ct);
            }
        }
        return null;
    }

    /// <summary>The visit of a message that somebody answers.</summary>
    internal async ValueTask<LinkedVisit?> OfMessageAsync(string messageId, CancellationToken ct) =>
        await _records.Messages.FindAsync(messageId, ct) is { } message ? await LookAsync(message, LinkPurpose.Visit, ct) : null;

    private async ValueTask<LinkedVisit> LookAsync(Sealed<StoredMessage> message, LinkPurpose purpose, CancellationToken ct)
    {
        var facts = await _reader.ReadAsync(message.Value, ct);
        var visit = facts.Visit!;
        var isOpen = visit.IsBooked && visit.Start == message.Value.Start && visit.Start > _clock.GetUtcNow() && visit.Has(facts.Recipient.ToString()) && facts.Person.Reachable;
        var schedule = isOpen && visit.Slot is { } slot ? await _house.ScheduleOfAsync(slot, ct) : null;
        var answer = _records.AnswerId(visit.Id, message.Value.Recipient, message.Value.Start);
        return new(purpose, facts, Neutral.Text(_options.ClinicName ?? facts.Place.Name), answer, message.Value.Start, isOpen, schedule, _options);
    }
}
