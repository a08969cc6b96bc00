using System.Collections.Immutable;
using System.Globalization;
using FhirCore.Messages;
using FhirServer.Settings;
using NodaTime;
using NodaTime.Text;
using Subscriptions.Reminders;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Texts;

namespace FhirServer.Messages;

/// <summary>Section <c>Reminders</c>.</summary>
internal static class ReminderSettings
{
    private const string Section = "Reminders";
    private static readonly LocalTimePattern TimeOfDay = LocalTimePattern.CreateWithInvariantCulture("HH:mm");

    /// <param name="timeZone">Where neither a person nor a place says which it is.</param>
    /// <returns>Null where no reminders are wanted.</returns>
    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static ReminderOptions? Read(IConfiguration configuration, ServerSettings server, string timeZone, MessageSettings channels)
    {
        var read = new SettingsReader(configuration);
        var isWanted = Switch(read, "Reminders:Enabled", true);
        var options = new ReminderOptions
        {
            Before = ReadBefore(read, "Reminders:Before", ReminderOptions.DefaultBefore),
            BeforeAtHighRisk = ReadBefore(read, "Reminders:BeforeAtHighRisk", []),
            Spacing = read.Time("Reminders:Spacing", TimeSpan.FromHours(1), TimeSpan.Zero, TimeSpan.FromDays(1)),
            Quiet = ReadQuiet(read),
            Channels = ReadChannels(read),
            Sms = new((int)read.Number("Reminders:SmsPerDay", 1, 0, 100), (int)read.Number("Reminders:SmsPerWeek", 3, 0, 100)),
            SmsAllowanceForChanges = Switch(read, "Reminders:SmsAllowanceForChanges", false),
            PhoneRegion = ReadRegion(read),
            Language = read.Text("Reminders:Language", LanguageSet.English).ToLowerInvariant(),
            Templates = read.OptionalText("Reminders:Templates") is { } folder ? Path.GetFullPath(folder) : null,
            ClinicName = read.OptionalText("Reminders:ClinicName"),
            ClinicPhone = read.OptionalText("Reminders:ClinicPhone"),
            Notices = Switch(read, "Reminders:Notices", true),
            StaffNotices = Switch(read, "Reminders:StaffNotices", true),
            Digest = ReadDigest(read),
            NoticeWithin = read.Time("Reminders:NoticeWithin", TimeSpan.FromDays(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)),
            MaxParallelSends = (int)read.Number("Reminders:MaxParallelSends", 128, 1, 10_000),
            TimeZone = timeZone,
            BaseUrl = server.BaseUrl.AbsoluteUri.TrimEnd('/') + "/",
            LinkBase = MessageAddresses.Of(server).LinkBase,
            MailFrom = channels.Smtp?.From,
            TakesReplies = channels.Twilio?.TakesReplies is true,
        };
        read.RefuseUnknownKeys(Section);
        try
        {
            LanguageSet.Load(options.Templates, options.Language);
        }
        catch (FormatException wrong)
        {
            read.Refuse(wrong.Message.StartsWith("there is no language", StringComparison.Ordinal) ? "Reminders:Language" : "Reminders:Templates", wrong.Message);
        }
        read.ThrowIfAny();
        return isWanted ? options : null;
    }

    private static ImmutableArray<TimeSpan> ReadBefore(SettingsReader read, string key, ImmutableArray<TimeSpan> fallback)
    {
        if (read.Many(key) is not { } given)
        {
            return fallback;
        }
        return [.. given.Select(entry => read.Time(entry.Key, TimeSpan.FromDays(1), TimeSpan.FromMinutes(5), TimeSpan.FromDays(60)))];
    }

    private static QuietHours? ReadQuiet(SettingsReader read)
    {
        var text = read.TextOrNone("Reminders:QuietHours", "21:00-08:00");
        if (text.Length > 0 && !QuietHours.TryParse(text, out _))
        {
            read.Refuse("Reminders:QuietHours", "must be two times of day such as 21:00-08:00, at most 20 hours, or nothing for none");
        }
        return QuietHours.TryParse(text, out var hours) ? hours : null;
    }

    private static ImmutableArray<MessageChannelKind> ReadChannels(SettingsReader read)
    {
        if (read.Many("Reminders:Channels") is not { } given)
        {
            return ReminderOptions.DefaultChannels;
        }
        var channels = ImmutableArray.CreateBuilder<MessageChannelKind>();
        foreach (var (key, name) in given)
        {
            if (!Enum.TryParse<MessageChannelKind>(name, ignoreCase: true, out var channel) || int.TryParse(name, NumberStyles.Integer, CultureInfo.InvariantCulture, out _))
            {
                read.Refuse(key, $"'{name}' is not one of push, sms, email");
            }
            else if (channels.Contains(channel))
            {
                read.Refuse(key, $"'{name}' stands there twice");
            }
            else
            {
                channels.Add(channel);
            }
        }
        return channels.ToImmutable();
    }

    private static string? ReadRegion(SettingsReader read)
    {
        var region = read.OptionalText("Reminders:PhoneRegion")?.ToUpperInvariant();
        if (region is not null && !ReminderOptions.IsPhoneRegion(region))
        {
            read.Refuse("Reminders:PhoneRegion", $"'{region}' is no country of ISO 3166 such as DE");
        }
        return region;
    }

    private static LocalTime? ReadDigest(SettingsReader read)
    {
        var text = read.TextOrNone("Reminders:Digest", "07:00");
        if (text.Length == 0)
        {
            return null;
        }
        if (TimeOfDay.Parse(text) is { Success: true } time)
        {
            return time.Value;
        }
        read.Refuse("Reminders:Digest", "must be a time of day such as 07:00, or nothing for none");
        return null;
    }

    private static bool Switch(SettingsReader read, string key, bool fallback) => read.OneOf(key, fallback ? "true" : "false", ["false", "true"]) == "true";
}
