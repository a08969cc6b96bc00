using System.Text;
using CsCheck;
using Ical.Net;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Tests.Reminders.Texts;

public sealed class VisitCalendarTests
{
    private static readonly CalendarEvent Event = new(
        "0123456789abcdef@clinic.example", 2, new(2026, 5, 5, 9, 30, 0, TimeSpan.FromHours(2)), new(2026, 5, 5, 10, 0, 0, TimeSpan.FromHours(2)), "Visit at Lindenhof Clinics",
        "Lindenstraße 12, 10969 Berlin", "Lindenhof Clinics <noreply@clinic.example>", IsCancelled: false, new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Published_IsReadByAnotherLibraryAsItWasMeant()
    {
        var (type, read) = Read(Event);
        Assert.Equal("text/calendar; method=PUBLISH; charset=utf-8", type);
        Assert.Equal(("PUBLISH", "2.0"), (read.Method, read.Version));
        var visit = Assert.Single(read.Events);
        Assert.Equal((Event.Uid, 2, "CONFIRMED", "PRIVATE"), (visit.Uid, visit.Sequence, visit.Status, visit.Class));
        Assert.Equal((Event.Summary, Event.Place), (visit.Summary, visit.Location));
        Assert.Equal((Event.Start.UtcDateTime, Event.End.UtcDateTime), (visit.Start!.AsUtc, visit.End!.AsUtc));
        Assert.Equal(("mailto:noreply@clinic.example", "Lindenhof Clinics"), (visit.Organizer!.Value!.ToString(), visit.Organizer.CommonName));
        Assert.Empty(visit.Attendees);
        Assert.Empty(visit.Alarms);
    }

    [Fact]
    public void Cancelled_TakesItOutAgain()
    {
        var (type, read) = Read(Event with { IsCancelled = true, Sequence = 3, Place = null });
        Assert.Equal(("text/calendar; method=CANCEL; charset=utf-8", "CANCEL"), (type, read.Method));
        var visit = Assert.Single(read.Events);
        Assert.Equal((Event.Uid, 3, "CANCELLED"), (visit.Uid, visit.Sequence, visit.Status));
    }

    [Fact]
    public void AnyText_ComesBack_InLinesOf75Octets() => Gen.Select(Words, Words).Sample(
        (summary, place) =>
        {
            var file = VisitCalendar.File(Event with { Summary = summary, Place = place });
            var text = Encoding.UTF8.GetString(file.Content.Span);
            Assert.All(text.Split("\r\n"), line => Assert.True(Encoding.UTF8.GetByteCount(line) <= 75));
            Assert.DoesNotContain('\n', text.Replace("\r\n", "", StringComparison.Ordinal));
            var visit = Assert.Single(Calendar.Load(text)!.Events);
            Assert.Equal((summary, place), (visit.Summary!.ReplaceLineEndings("\n"), visit.Location!.ReplaceLineEndings("\n")));
            Assert.Equal(Event.Uid, visit.Uid);
        },
        iter: 2_000);

    [Theory]
    [InlineData("noreply@clinic.example", null)]
    [InlineData("<noreply@clinic.example>", null)]
    [InlineData("\"Smith, \"\" & Co\r\nATTENDEE:x\" <noreply@clinic.example>", "Smith,  & CoATTENDEE:x")]
    public void Organizer_IsOneLine(string from, string? name)
    {
        var (_, read) = Read(Event with { Organizer = from });
        var visit = Assert.Single(read.Events);
        Assert.Equal(("mailto:noreply@clinic.example", name), (visit.Organizer!.Value!.ToString(), visit.Organizer.CommonName));
        Assert.Empty(visit.Attendees);
    }

    /// <summary>Words of letters beyond ASCII, and everything that iCalendar escapes.</summary>
    private static readonly string[] Hard = ["a\nb", "BEGIN:VALARM", "x;y,z\\n", new('ж', 200), string.Concat(Enumerable.Repeat("😀", 40))];

    private static readonly Gen<string> Words = Gen.OneOf(
        Gen.String["abcXYZ äöüß Ключ 日本 ,;:\\\"'-"], Gen.Int[0, Hard.Length - 1].Select(i => Hard[i]))
        .Where(text => text.Trim() == text && text.Length > 0);

    private static (string Type, Calendar Read) Read(CalendarEvent visit)
    {
        var file = VisitCalendar.File(visit);
        return (file.ContentType, Calendar.Load(Encoding.UTF8.GetString(file.Content.Span))!);
    }
}
