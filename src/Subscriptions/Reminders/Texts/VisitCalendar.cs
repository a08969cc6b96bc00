using System.Globalization;
using System.Text;
using FhirCore.Messages;

namespace Subscriptions.Reminders.Texts;

/// <summary>What a calendar is told of a visit.</summary>
/// <param name="Uid">The same as long as it is the same visit.</param>
/// <param name="Sequence">Grows with every change that is told.</param>
/// <param name="Summary">Without what the visit is for: calendars are shared.</param>
/// <param name="Organizer">An e-mail address, with or without a name.</param>
public sealed record CalendarEvent(
    string Uid, int Sequence, DateTimeOffset Start, DateTimeOffset End, string Summary, string? Place, string Organizer, bool IsCancelled, DateTimeOffset At);

/// <summary>
/// A visit as a file for calendars: iCalendar, RFC 5545, published by iTIP, RFC 5546. Published, not requested: a request offers buttons
/// whose answer goes to a mailbox that nobody reads, and who has pressed "decline" there believes to have cancelled.
/// </summary>
public static class VisitCalendar
{
    private const int LongestLine = 75; // octets, RFC 5545, 3.1

    public static MessageFile File(CalendarEvent visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        var method = visit.IsCancelled ? "CANCEL" : "PUBLISH";
        return new("visit.ics", $"text/calendar; method={method}; charset=utf-8", Encoding.UTF8.GetBytes(Write(visit, method)));
    }

    private static string Write(CalendarEvent visit, string method)
    {
        var text = new StringBuilder();
        Line(text, "BEGIN:VCALENDAR");
        Line(text, "VERSION:2.0");
        Line(text, "PRODID:-//fhir-server//visits//EN");
        Line(text, $"METHOD:{method}");
        Line(text, "BEGIN:VEVENT");
        Line(text, $"UID:{visit.Uid}");
        Line(text, string.Create(CultureInfo.InvariantCulture, $"SEQUENCE:{visit.Sequence}"));
        Line(text, $"DTSTAMP:{Utc(visit.At)}");
        // In UTC: one visit is one instant, and no table of a zone's rules has to be right on the reader's side.
        Line(text, $"DTSTART:{Utc(visit.Start)}");
        Line(text, $"DTEND:{Utc(visit.End)}");
        Line(text, $"SUMMARY:{Escape(visit.Summary)}");
        if (!string.IsNullOrEmpty(visit.Place))
        {
            Line(text, $"LOCATION:{Escape(visit.Place)}");
        }
        Line(text, Organizer(visit.Organizer));
        Line(text, $"STATUS:{(visit.IsCancelled ? "CANCELLED" : "CONFIRMED")}");
        Line(text, "CLASS:PRIVATE");
        Line(text, "TRANSP:OPAQUE");
        Line(text, "END:VEVENT");
        Line(text, "END:VCALENDAR");
        return text.ToString();
    }

    private static string Organizer(string from)
    {
        var open = from.LastIndexOf('<');
        if (open < 0 || !from.EndsWith('>'))
        {
            return $"ORGANIZER:mailto:{from.Trim()}";
        }
        // A parameter's value holds no quotes and no control characters, however they are written.
        var name = string.Concat(from[..open].Trim().Trim('"').Where(c => c != '"' && !char.IsControl(c)));
        var address = from[(open + 1)..^1];
        return name.Length == 0 ? $"ORGANIZER:mailto:{address}" : $"ORGANIZER;CN=\"{name}\":mailto:{address}";
    }

    private static string Utc(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace(";", "\\;", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal)
        .Replace("\r\n", "\\n", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\n", StringComparison.Ordinal);

    /// <summary>Folds after 75 octets, and never within a character.</summary>
    private static void Line(StringBuilder text, string line)
    {
        var octets = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            if (octets + rune.Utf8SequenceLength > LongestLine)
            {
                text.Append("\r\n ");
                octets = 1;
            }
            text.Append(rune.ToString());
            octets += rune.Utf8SequenceLength;
        }
        text.Append("\r\n");
    }
}
