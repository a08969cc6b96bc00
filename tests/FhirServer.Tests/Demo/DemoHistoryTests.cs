using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FhirServer.Demo;
using FhirStore.Json;
using NodaTime;

namespace FhirServer.Tests.Demo;

public sealed class DemoHistoryTests
{
    private static readonly LocalDate Opened = new(2026, 11, 26);
    private static readonly DemoHistory History = new(DemoSeeder.DefaultSeed, Opened, DemoPatients.All(DemoSeeder.DefaultSeed, Opened));

    [Fact]
    public void Weeks_OfTwoYears_HoldTheShapeThatForecastsAreToFind()
    {
        var visits = Enumerable.Range(1, 104).SelectMany(History.Week).ToList();

        Assert.InRange(visits.Count, 30_000, 45_000);
        Assert.Equal(visits.Count, visits.Select(visit => (string?)visit["id"]).Distinct().Count());
        // The first doctor grew until more ask than there is time for; on the other hand general practice is busier in winter than in summer.
        var growing = visits.Where(visit => Practitioner(visit) == "demo-practitioner-01").ToList();
        Assert.True(growing.Count(visit => Day(visit) >= Opened.PlusDays(-182)) > 1.08 * growing.Count(visit => Day(visit) < Opened.PlusDays(-364) && Day(visit) >= Opened.PlusDays(-546)));
        Assert.Contains(growing, visit => (string?)visit["status"] == "waitlist");
        var steady = visits.Where(visit => Practitioner(visit) == "demo-practitioner-02").ToList();
        Assert.True(steady.Count(visit => Day(visit).Month is 1 or 2) > 1.15 * steady.Count(visit => Day(visit).Month is 7 or 8));
        Assert.True(visits.Count(visit => Day(visit).DayOfWeek == IsoDayOfWeek.Monday) > 1.15 * visits.Count(visit => Day(visit).DayOfWeek == IsoDayOfWeek.Friday));
        Assert.DoesNotContain(visits, visit => Day(visit) == new LocalDate(2025, 12, 25) && Practitioner(visit) == "demo-practitioner-01");
        Assert.DoesNotContain(visits, visit => Day(visit) == new LocalDate(2026, 4, 6) && Practitioner(visit) == "demo-practitioner-01"); // Easter Monday
    }

    [Fact]
    public void Visits_AreMissedTheMoreTheEarlierTheyWereBooked()
    {
        var decided = Enumerable.Range(1, 104).SelectMany(History.Week).Where(visit => (string?)visit["status"] is "noshow" or "fulfilled").ToList();
        double Missed(Func<int, bool> lead) => decided.Where(visit => lead(Lead(visit))).Average(visit => (string?)visit["status"] == "noshow" ? 1.0 : 0);

        Assert.InRange(Missed(_ => true), 0.12, 0.22);
        Assert.True(Missed(lead => lead > 21) > 2 * Missed(lead => lead < 3));
    }

    [Fact]
    public void Week_AskedTwice_IsTheSame() =>
        Assert.Equal(History.Week(17).Select(visit => visit.ToJsonString()), History.Week(17).Select(visit => visit.ToJsonString()));

    [Fact]
    public void Resources_PassTheStrictParser_AndNameWhoIsThere()
    {
        var patients = DemoPatients.All(DemoSeeder.DefaultSeed, Opened).Select(patient => patient.Id).Concat(History.Patients().Select(patient => (string)patient["id"]!)).ToHashSet();
        Assert.Equal(200 + DemoHistory.MorePatients, patients.Count);
        foreach (var resource in History.Patients().Take(50).Concat(History.Week(1)).Concat(DemoSites.Practitioners.SelectMany(History.Ahead)))
        {
            var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(resource.ToJsonString()), (string)resource["resourceType"]!);
            Assert.True(parsed.Failure is null, $"{resource["id"]}: {string.Join(' ', parsed.Failure?.Issues ?? [])}");
            if ((string?)resource["resourceType"] == "Appointment")
            {
                Assert.Contains(((string)resource["participant"]![0]!["actor"]!["reference"]!).Split('/')[1], patients);
            }
        }
    }

    [Fact]
    public void Bookings_AreInSlotsThatAreOut_AndThinOutAhead()
    {
        var slots = DemoVisits.Slots(Opened.AtStartOfDayInZone(DemoSites.Berlin.TimeZone).ToInstant()).ToDictionary(slot => $"Slot/{slot["id"]}", slot => (string)slot["start"]!);
        var booked = DemoSites.Practitioners.SelectMany(History.Ahead).Where(visit => (string?)visit["status"] == "booked").ToList();

        Assert.All(booked, visit => Assert.Equal(slots[(string)visit["slot"]![0]!["reference"]!], (string?)visit["start"]));
        Assert.Equal(booked.Count, booked.Select(visit => (string?)visit["slot"]![0]!["reference"]).Distinct().Count());
        Assert.True(booked.Count(visit => Day(visit) < Opened.PlusDays(8)) > 2 * booked.Count(visit => Day(visit) >= Opened.PlusDays(21)));
    }

    [Theory]
    [InlineData(2019, 4, 21)]
    [InlineData(2024, 3, 31)]
    [InlineData(2025, 4, 20)]
    [InlineData(2026, 4, 5)]
    [InlineData(2049, 4, 18)] // one of Gauss' exceptions
    [InlineData(2076, 4, 19)] // the other
    public void Easter_OfAYear_IsTheDayItIsKept(int year, int month, int day) => Assert.Equal(new LocalDate(year, month, day), DemoHolidays.Easter(year));

    private static string Practitioner(JsonObject visit) => ((string)visit["participant"]![1]!["actor"]!["reference"]!).Split('/')[1];

    private static LocalDate Day(JsonObject visit) => LocalDate.FromDateOnly(DateOnly.ParseExact(((string)visit["start"]!)[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture));

    private static int Lead(JsonObject visit) => Period.DaysBetween(LocalDate.FromDateOnly(DateOnly.ParseExact((string)visit["created"]!, "yyyy-MM-dd", CultureInfo.InvariantCulture)), Day(visit));
}
