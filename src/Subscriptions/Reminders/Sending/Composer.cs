using System.Collections.Immutable;
using FhirCore.Messages;
using NodaTime;
using Subscriptions.Reminders.Links;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders.Sending;

/// <param name="Messages">One for each address.</param>
/// <param name="Links">Secrets of the links in it.</param>
internal sealed record Composed(ImmutableArray<OutgoingMessage> Messages, ImmutableArray<string> Links);

/// <summary>Puts a message into words. What it is for, which department it is with and who the patient is stands in none of them.</summary>
internal sealed class Composer(ReminderRecords records, ReminderOptions options, TimeProvider clock)
{
    /// <summary>FCC 15-77: a healthcare text is at most 160 characters. In UCS-2 three SMS hold what one in the default alphabet does.</summary>
    private const int MostSeptets = 160;
    private const int MostUcs2 = 201;

    public Composed Compose(string id, StoredMessage message, Facts facts, MessageChannelKind channel, IReadOnlyList<string> to)
    {
        var links = new List<string>();
        var values = facts.Language.At(Instant.FromDateTimeOffset(message.Start).InZone(facts.There), Cached(place => Value(place, id, message, facts, channel, links)));
        var topic = Key(message.Topic);
        var outgoing = new OutgoingMessage { Id = id, To = "", Text = "", NotAfter = message.NotAfter };
        outgoing = channel switch
        {
            MessageChannelKind.Sms => outgoing with { Text = Sms(facts.Language[$"sms.{topic}"], values) },
            MessageChannelKind.Push => outgoing with
            {
                Subject = facts.Language["push.title"].Text(values),
                Text = facts.Language[$"push.{topic}"].Text(values),
                Data = Data(message, topic, HasLinks(message, facts) ? Link(id, LinkPurpose.Visit, links) : null),
            },
            _ => Mail(outgoing, topic, message, facts, values),
        };
        return new([.. to.Select(address => outgoing with { To = address })], [.. links]);
    }

    /// <summary>A digest: of one day, so its id is the day's.</summary>
    public OutgoingMessage Digest(string id, StoredMessage message, Facts facts, IReadOnlyList<(DateTimeOffset Start, DateTimeOffset End)> visits, string to)
    {
        var day = Instant.FromDateTimeOffset(message.Start).InZone(facts.There);
        var values = facts.Language.At(day, place => place switch
        {
            "count" => visits.Count.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "visits" => string.Join('\n', visits.Select(visit => $"{TimeOf(visit.Start)} – {TimeOf(visit.End)}")),
            "clinic" => Clinic(facts),
            _ => "",
        });
        return new()
        {
            Id = id,
            To = to,
            Subject = facts.Language["digest.subject"].Text(values),
            Text = facts.Language["digest"].Text(values),
            Html = Page(facts.Language, facts.Language["digest"].Html(values)),
            NotAfter = message.NotAfter,
        };

        string TimeOf(DateTimeOffset at) => facts.Language.At(Instant.FromDateTimeOffset(at).InZone(facts.There), static _ => "")("time");
    }

    private OutgoingMessage Mail(OutgoingMessage outgoing, string topic, StoredMessage message, Facts facts, Func<string, string> values)
    {
        var key = facts.IsStaff ? "staff" : "mail";
        return outgoing with
        {
            Subject = facts.Language[$"{key}.subject.{topic}"].Text(values),
            Text = facts.Language[$"{key}.{topic}"].Text(values),
            Html = Page(facts.Language, facts.Language[$"{key}.{topic}"].Html(values)),
            File = message.Topic == MessageTopic.Reminder || options.MailFrom is not { } from ? null : VisitCalendar.File(new(
                Uid(message, facts), message.Sequence, message.Start, message.End, facts.Language[facts.IsStaff ? "event.staff" : "event"].Text(values), values("place"), from,
                message.Topic == MessageTopic.Cancelled, clock.GetUtcNow())),
        };
    }

    /// <summary>Parts that may be left out go, the last first, until it fits.</summary>
    private static string Sms(Template template, Func<string, string> values)
    {
        for (var parts = template.Options; ; parts--)
        {
            var text = SmsLength.Simplify(template.Text(values, parts));
            if (parts == 0 || SmsLength.Of(text) is { } length && length.Units <= (length.IsGsm7 ? MostSeptets : MostUcs2))
            {
                return text;
            }
        }
    }

    private string Value(string place, string id, StoredMessage message, Facts facts, MessageChannelKind channel, List<string> links) => place switch
    {
        "clinic" => Clinic(facts),
        "phone" => Neutral.Text(options.ClinicPhone ?? facts.Place.Phone),
        "place" => Neutral.Text(facts.Place.Address),
        "given" => Neutral.Text(facts.Person.Given),
        "answer" => channel == MessageChannelKind.Sms && options.TakesReplies ? facts.Language.Plain("answer") : "",
        "link" => HasLinks(message, facts) ? Link(id, LinkPurpose.Visit, links) : "",
        "confirm" => Link(id, LinkPurpose.Confirm, links),
        "cancel" => Link(id, LinkPurpose.Cancel, links),
        "reschedule" => Link(id, LinkPurpose.Reschedule, links),
        _ => "",
    };

    private string Clinic(Facts facts) => Neutral.Text(options.ClinicName ?? facts.Place.Name) is { Length: > 0 } name ? name : facts.Language.Plain("clinic.unnamed");

    private static bool HasLinks(StoredMessage message, Facts facts) => !facts.IsStaff && message.Topic != MessageTopic.Cancelled;

    private string Link(string id, LinkPurpose purpose, List<string> links)
    {
        var secret = records.LinkSecret(id, purpose.ToString());
        if (!links.Contains(secret))
        {
            links.Add(secret);
        }
        return options.LinkBase + secret;
    }

    /// <summary>The same visit keeps its place in the calendar, whatever message brings it; each person has one of their own.</summary>
    private string Uid(StoredMessage message, Facts facts) => $"{records.CalendarId(message.Appointment!, facts.Recipient.ToString())}@{Host(options.MailFrom!)}";

    private static string Host(string from) => from[(from.LastIndexOf('@') + 1)..].TrimEnd('>', ' ');

    private static Dictionary<string, string> Data(StoredMessage message, string topic, string? link)
    {
        var data = new Dictionary<string, string>(StringComparer.Ordinal) { ["topic"] = topic, ["appointment"] = message.Appointment! };
        if (link is not null)
        {
            data["link"] = link;
        }
        return data;
    }

    private static string Key(MessageTopic topic) => topic switch
    {
        MessageTopic.Reminder => "reminder",
        MessageTopic.Booked => "booked",
        MessageTopic.Changed => "changed",
        MessageTopic.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(topic), topic, "Such a message has no text of its own."),
    };

    private static string Page(Language language, string body) =>
        $"<!DOCTYPE html>\n<html lang=\"{language.Code}\"><head><meta charset=\"utf-8\"></head><body>\n{body}\n</body></html>\n";

    /// <summary>A place may stand in a text and in its HTML; a link in both is one link.</summary>
    private static Func<string, string> Cached(Func<string, string> value)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        return place => known.TryGetValue(place, out var text) ? text : known[place] = value(place);
    }
}
