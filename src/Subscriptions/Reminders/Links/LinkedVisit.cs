using FhirCore;
using NodaTime;
using Subscriptions.Reminders.Sending;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders.Links;

/// <summary>A visit as somebody sees it who holds a link, or answers an SMS: what it says, and whether anything may be done.</summary>
public sealed class LinkedVisit
{
    private readonly Facts _facts;
    private readonly ReminderOptions _options;
    private readonly string _clinic;

    internal LinkedVisit(LinkPurpose purpose, Facts facts, string clinic, string answerId, DateTimeOffset start, bool isOpen, ResourceKey? schedule, ReminderOptions options)
    {
        (Purpose, _facts, _clinic, AnswerId, Start, IsOpen, Schedule, _options) = (purpose, facts, clinic, answerId, start, isOpen, schedule, options);
        Language = facts.Language;
    }

    public LinkPurpose Purpose { get; }

    /// <summary>It takes place as the message said, and has not begun. Nothing may be done otherwise, and nothing is told but that.</summary>
    public bool IsOpen { get; }

    public ResourceKey Appointment => new("Appointment", _facts.Visit!.Id);

    /// <summary>The version that was looked at: what is done is done to that one.</summary>
    public long Version => _facts.Visit!.Version;

    public ResourceKey Patient => _facts.Recipient;

    public DateTimeOffset Start { get; }

    public TimeSpan Length => _facts.Visit!.End is { } end && end > Start ? end - Start : TimeSpan.Zero;

    /// <summary>Of the answer of this patient about this time: answering twice is one answer.</summary>
    public string AnswerId { get; }

    /// <summary>Of the slot it takes; null where it takes none.</summary>
    public ResourceKey? Schedule { get; }

    public Language Language { get; private set; }

    /// <summary>Zone of the place.</summary>
    public DateTimeZone Zone => _facts.There;

    public bool Allows(LinkPurpose purpose) => IsOpen && (Purpose == LinkPurpose.Visit || Purpose == purpose);

    /// <summary>The same, in the language that its reader has chosen.</summary>
    public LinkedVisit In(Language language)
    {
        var copy = (LinkedVisit)MemberwiseClone();
        copy.Language = language;
        return copy;
    }

    /// <param name="at">The time it speaks of; null takes the visit's.</param>
    public string Say(string key, DateTimeOffset? at = null) => Language[key].Text(Language.At(Instant.FromDateTimeOffset(at ?? Start).InZone(Zone), Value));

    public bool HasPlace => Value("place").Length > 0;

    public bool HasPhone => Value("phone").Length > 0;

    /// <summary>A date or a time at the place.</summary>
    /// <param name="place"><c>date</c>, <c>date.long</c> or <c>time</c>.</param>
    public string At(string place, DateTimeOffset at) => Language.At(Instant.FromDateTimeOffset(at).InZone(Zone), static _ => "")(place);

    private string Value(string place) => place switch
    {
        "clinic" => _clinic.Length > 0 ? _clinic : Language.Plain("clinic.unnamed"),
        "phone" => Neutral.Text(_options.ClinicPhone ?? _facts.Place.Phone),
        "place" => Neutral.Text(_facts.Place.Address),
        "zone" => Zone.Id,
        _ => "",
    };
}
