using System.Globalization;
using System.Text.Json.Nodes;
using NodaTime;

namespace FhirServer.Demo;

/// <summary>
/// Two years of visits behind the opening day, week by week, and the bookings that stand for the weeks ahead of it: what forecasts and
/// the risk of missed visits are learned from. Everything follows from the seed and the opening day.
/// </summary>
internal sealed class DemoHistory
{
    /// <summary>Patients who come beside those of <see cref="DemoPatients"/>: nothing is known of them but a name.</summary>
    public const int MorePatients = 1_800;

    private const int CancelledPercent = 7;
    private const string Waitlist = "waitlist";

    private readonly int _seed;
    private readonly LocalDate _opened;
    private readonly Dictionary<DemoSite, List<(string Id, bool IsForgetful)>> _patients = [];

    public DemoHistory(int seed, LocalDate opened, IReadOnlyList<DemoPatient> patients)
    {
        (_seed, _opened) = (seed, opened);
        foreach (var site in DemoSites.All)
        {
            _patients[site] = [.. patients.Where(patient => patient.Site == site).Select(patient => (patient.Id, IsForgetful(patient.Id)))];
        }
        for (var number = 1; number <= MorePatients; number++)
        {
            var id = DemoRandom.Uuid(seed, $"former-patient-{number}");
            _patients[SiteOf(number)].Add((id, IsForgetful(id)));
        }
    }

    /// <summary>The patients of whom nothing but a name is known.</summary>
    public IEnumerable<JsonObject> Patients()
    {
        for (var number = 1; number <= MorePatients; number++)
        {
            var random = new DemoRandom(_seed, $"former-patient-{number}");
            var locale = random.Pick(SiteOf(number) == DemoSites.Berlin ? DemoNames.Berlin : DemoNames.Almaty);
            var woman = random.Percent(52);
            yield return new()
            {
                ["resourceType"] = "Patient",
                ["id"] = DemoRandom.Uuid(_seed, $"former-patient-{number}"),
                ["active"] = true,
                ["name"] = new JsonArray(new JsonObject
                {
                    ["family"] = random.Pick(woman ? locale.FemaleFamilies : locale.Families),
                    ["given"] = new JsonArray(random.Pick(woman ? locale.Women : locale.Men)),
                }),
                ["managingOrganization"] = DemoHospital.Reference("Organization", DemoHospital.OrganizationId),
            };
        }
    }

    /// <param name="weeksBack">1 for the last seven days before the opening.</param>
    public IEnumerable<JsonObject> Week(int weeksBack)
    {
        foreach (var practitioner in DemoSites.Practitioners)
        {
            for (var day = 0; day < 7; day++)
            {
                foreach (var visit in Day(practitioner, _opened.PlusDays((-7 * weeksBack) + day)))
                {
                    yield return visit;
                }
            }
        }
    }

    /// <summary>What is booked in the weeks ahead: the nearer a day, the more of it.</summary>
    public IEnumerable<JsonObject> Ahead(DemoPractitioner practitioner)
    {
        for (var day = 1; day < DemoVisits.DaysAhead; day++)
        {
            var date = _opened.PlusDays(day);
            if (DemoHolidays.IsHoliday(practitioner.Site, date))
            {
                continue;
            }
            var random = new DemoRandom(_seed, $"booked-{practitioner.Number}-{date}");
            foreach (var time in DemoCalendar.TimesOn(practitioner, date))
            {
                var lead = DemoLoad.LeadDays(random);
                var patient = random.Pick(_patients[practitioner.Site]);
                var share = Share(practitioner, date, time);
                var (isBooked, isWaiting) = (random.Fraction() < share, random.Fraction() < share - DemoLoad.Full);
                if (lead < day)
                {
                    continue; // asked for at shorter notice: that will come yet
                }
                if (isWaiting)
                {
                    yield return Visit(practitioner, time, random.Pick(_patients[practitioner.Site]).Id, Waitlist, _opened.PlusDays(day - lead), null);
                }
                if (isBooked)
                {
                    yield return Visit(practitioner, time, patient.Id, "booked", _opened.PlusDays(day - lead), $"Slot/{DemoVisits.SlotId(practitioner, time)}");
                }
            }
        }
    }

    private IEnumerable<JsonObject> Day(DemoPractitioner practitioner, LocalDate day)
    {
        if (DemoHolidays.IsHoliday(practitioner.Site, day))
        {
            yield break;
        }
        var random = new DemoRandom(_seed, $"history-{practitioner.Number}-{day}");
        foreach (var time in DemoCalendar.TimesOn(practitioner, day))
        {
            if (time.End.ToInstant() > _opened.AtStartOfDayInZone(practitioner.Site.TimeZone).ToInstant())
            {
                continue; // the night that the opening day breaks into
            }
            var share = Share(practitioner, day, time);
            var patient = random.Pick(_patients[practitioner.Site]);
            var lead = DemoLoad.LeadDays(random);
            var (wanted, cancelled, missed) = (random.Fraction() < share, random.Percent(CancelledPercent), random.Fraction());
            if (random.Fraction() < share - DemoLoad.Full)
            {
                yield return Visit(practitioner, time, random.Pick(_patients[practitioner.Site]).Id, Waitlist, day.PlusDays(-lead), null);
            }
            if (!wanted)
            {
                continue;
            }
            var status = cancelled ? "cancelled" : missed < DemoLoad.MissedShare(lead, patient.IsForgetful, time.Start.LocalDateTime) ? "noshow" : "fulfilled";
            yield return Visit(practitioner, time, patient.Id, status, day.PlusDays(-lead), null);
        }
    }

    private double Share(DemoPractitioner practitioner, LocalDate day, DemoTime time) =>
        DemoLoad.Share(practitioner, day, Period.DaysBetween(day, _opened) / 365.25) * DemoLoad.OfHour(time.Start.Hour);

    private JsonObject Visit(DemoPractitioner practitioner, DemoTime time, string patient, string status, LocalDate made, string? slot)
    {
        var visit = new JsonObject
        {
            ["resourceType"] = "Appointment",
            ["id"] = DemoRandom.Uuid(_seed, $"{(status == Waitlist ? Waitlist : "history")}-{practitioner.Number}-{time.Stamp}"),
            ["status"] = status,
            ["serviceType"] = new JsonArray(DemoHospital.ServiceType(practitioner.Service)),
            ["start"] = time.StartText,
            ["end"] = time.EndText,
            ["created"] = made.ToString("uuuu'-'MM'-'dd", CultureInfo.InvariantCulture),
            ["participant"] = new JsonArray(
                DemoVisits.Participant("Patient", patient, null),
                DemoVisits.Participant("Practitioner", practitioner.Id, practitioner.Display),
                DemoVisits.Participant("Location", practitioner.RoomId, null)),
        };
        if (slot is not null)
        {
            visit["slot"] = new JsonArray(new JsonObject { ["reference"] = slot });
        }
        return visit;
    }

    private static DemoSite SiteOf(int number) => number % 5 < 3 ? DemoSites.Berlin : DemoSites.Almaty;

    private bool IsForgetful(string patient) => new DemoRandom(_seed, $"forgetful-{patient}").Below(6) == 0;
}
