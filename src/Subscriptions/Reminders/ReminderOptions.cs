using System.Collections.Immutable;
using FhirCore.Messages;
using NodaTime;
using Subscriptions.Reminders.Planning;

namespace Subscriptions.Reminders;

/// <summary>Section <c>Reminders</c>, and what the composition root knows beside it.</summary>
public sealed record ReminderOptions
{
    public static ImmutableArray<TimeSpan> DefaultBefore { get; } = [TimeSpan.FromDays(7), TimeSpan.FromDays(1), TimeSpan.FromHours(2)];

    public static ImmutableArray<MessageChannelKind> DefaultChannels { get; } = [MessageChannelKind.Push, MessageChannelKind.Sms, MessageChannelKind.Email];

    /// <summary>When reminders are due where neither the patient, the service nor the location says otherwise.</summary>
    public ImmutableArray<TimeSpan> Before { get; init; } = DefaultBefore;

    /// <summary>When one more goes out where the visit is likely to be missed; not to who has said themselves when they want to be reminded.</summary>
    public ImmutableArray<TimeSpan> BeforeAtHighRisk { get; init; } = [];

    /// <summary>Two messages about one visit are at least so far apart: a reminder that would follow the news of the booking at once is left out.</summary>
    public TimeSpan Spacing { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Null: there are none.</summary>
    public QuietHours? Quiet { get; init; } = new(new(21, 0), new(8, 0));

    /// <summary>Order in which channels are tried, where nobody says otherwise. A channel that is not here is not used.</summary>
    public ImmutableArray<MessageChannelKind> Channels { get; init; } = DefaultChannels;

    public SmsAllowance Sms { get; init; } = new(1, 3);

    /// <summary>The allowance holds up what tells that a visit is cancelled or has changed, too.</summary>
    public bool SmsAllowanceForChanges { get; init; }

    /// <summary>Country of phone numbers without one; null understands international numbers only.</summary>
    public string? PhoneRegion { get; init; }

    /// <summary>For people who have no language, or one that there are no texts in.</summary>
    public string Language { get; init; } = Texts.LanguageSet.English;

    /// <summary>Folder of files with texts; null for the built-in ones alone.</summary>
    public string? Templates { get; init; }

    /// <summary>Name in every message; null takes the Organization's.</summary>
    public string? ClinicName { get; init; }

    /// <summary>Number for questions; null takes the Location's or the Organization's.</summary>
    public string? ClinicPhone { get; init; }

    /// <summary>Patients are told when they are booked, and of changes and cancellations.</summary>
    public bool Notices { get; init; } = true;

    /// <summary>Practitioners with an e-mail address are told the same, unless they ask not to be.</summary>
    public bool StaffNotices { get; init; } = true;

    /// <summary>Time of day at which practitioners who ask for it get their day; null: nobody does.</summary>
    public LocalTime? Digest { get; init; } = new(7, 0);

    /// <summary>What happened longer ago than this is not told as news: after a long outage, or an import.</summary>
    public TimeSpan NoticeWithin { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Where nobody has said otherwise.</summary>
    public string TimeZone { get; init; } = "Etc/UTC";

    /// <summary>Messages that one process has under way at once.</summary>
    public int MaxParallelSends { get; init; } = 128;

    /// <summary>Public FHIR base, with a slash at its end.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>Links begin with it: <c>https://clinic.example/m/</c>.</summary>
    public string LinkBase { get; init; } = "http://localhost:8080/m/";

    /// <summary>Of e-mails and calendars; null where no e-mail is sent.</summary>
    public string? MailFrom { get; init; }

    /// <summary>People can answer the SMS they get.</summary>
    public bool TakesReplies { get; init; }

    /// <summary>Whether phone numbers of that country are known.</summary>
    /// <param name="code">ISO 3166, in capitals.</param>
    public static bool IsPhoneRegion(string code) => People.PhoneReader.IsRegion(code);
}
