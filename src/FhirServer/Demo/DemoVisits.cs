using System.Text.Json.Nodes;
using NodaTime;

namespace FhirServer.Demo;

/// <summary>Slots of the coming weeks, and what happened in the months before the first day.</summary>
internal static class DemoVisits
{
    public const int DaysAhead = 28;
    private const int DaysBack = 90;

    /// <summary>Free slots of every practitioner for four weeks from the site's present day; what has begun is left out.</summary>
    public static IEnumerable<JsonObject> Slots(Instant now)
    {
        foreach (var practitioner in DemoSites.Practitioners)
        {
            var today = now.InZone(practitioner.Site.TimeZone).Date;
            for (var day = 0; day < DaysAhead; day++)
            {
                if (DemoHolidays.IsHoliday(practitioner.Site, today.PlusDays(day)))
                {
                    continue;
                }
                foreach (var time in DemoCalendar.TimesOn(practitioner, today.PlusDays(day)))
                {
                    if (time.Start.ToInstant() > now)
                    {
                        yield return Slot(practitioner, time);
                    }
                }
            }
        }
    }

    /// <summary>Appointments that were kept, with their encounters, and some that were not.</summary>
    public static IEnumerable<JsonObject> Past(int seed, LocalDate firstDay, IReadOnlyList<DemoPatient> patients)
    {
        var taken = new HashSet<(int Practitioner, Instant Start)>();
        foreach (var patient in patients)
        {
            var random = new DemoRandom(seed, $"visits-{patient.Number}");
            var practitioners = DemoSites.Practitioners.Where(p => p.Site == patient.Site).ToArray();
            for (var visit = random.Below(4); visit > 0; visit--)
            {
                var practitioner = random.Pick(practitioners);
                var times = DemoCalendar.TimesOn(practitioner, firstDay.PlusDays(-1 - random.Below(DaysBack))).ToArray();
                if (times.Length == 0)
                {
                    continue; // a day off
                }
                var time = random.Pick(times);
                var kept = random.Percent(85);
                if (!taken.Add((practitioner.Number, time.Start.ToInstant())) || time.End.ToInstant() > firstDay.AtStartOfDayInZone(practitioner.Site.TimeZone).ToInstant())
                {
                    continue;
                }
                var id = DemoRandom.Uuid(seed, $"visit-{practitioner.Number}-{time.Stamp}");
                yield return Appointment(id, patient, practitioner, time, kept);
                if (kept)
                {
                    yield return Encounter(DemoRandom.Uuid(seed, $"encounter-{practitioner.Number}-{time.Stamp}"), id, patient, practitioner, time);
                }
            }
        }
    }

    public static string SlotId(DemoPractitioner practitioner, DemoTime time) => $"demo-slot-{practitioner.Number:00}-{time.Stamp}";

    private static JsonObject Slot(DemoPractitioner practitioner, DemoTime time) => new()
    {
        ["resourceType"] = "Slot",
        ["id"] = SlotId(practitioner, time),
        ["serviceType"] = new JsonArray(DemoHospital.ServiceType(practitioner.Service)),
        ["schedule"] = DemoHospital.Reference("Schedule", practitioner.ScheduleId),
        ["status"] = "free",
        ["start"] = time.StartText,
        ["end"] = time.EndText,
    };

    private static JsonObject Appointment(string id, DemoPatient patient, DemoPractitioner practitioner, DemoTime time, bool kept) => new()
    {
        ["resourceType"] = "Appointment",
        ["id"] = id,
        ["status"] = kept ? "fulfilled" : "noshow",
        ["serviceType"] = new JsonArray(DemoHospital.ServiceType(practitioner.Service)),
        ["appointmentType"] = DemoHospital.Concept("http://terminology.hl7.org/CodeSystem/v2-0276", "ROUTINE", "Routine appointment"),
        ["start"] = time.StartText,
        ["end"] = time.EndText,
        ["minutesDuration"] = practitioner.SlotMinutes,
        ["participant"] = new JsonArray(
            Participant("Patient", patient.Id, patient.Display),
            Participant("Practitioner", practitioner.Id, practitioner.Display),
            Participant("Location", practitioner.RoomId, null)),
    };

    public static JsonObject Participant(string type, string id, string? display) => new()
    {
        ["actor"] = DemoHospital.Reference(type, id, display),
        ["required"] = "required",
        ["status"] = "accepted",
    };

    private static JsonObject Encounter(string id, string appointmentId, DemoPatient patient, DemoPractitioner practitioner, DemoTime time) => new()
    {
        ["resourceType"] = "Encounter",
        ["id"] = id,
        ["status"] = "finished",
        ["class"] = new JsonObject { ["system"] = "http://terminology.hl7.org/CodeSystem/v3-ActCode", ["code"] = "AMB", ["display"] = "ambulatory" },
        ["serviceType"] = DemoHospital.ServiceType(practitioner.Service),
        ["subject"] = DemoHospital.Reference("Patient", patient.Id, patient.Display),
        ["participant"] = new JsonArray(new JsonObject { ["individual"] = DemoHospital.Reference("Practitioner", practitioner.Id, practitioner.Display) }),
        ["appointment"] = new JsonArray(DemoHospital.Reference("Appointment", appointmentId)),
        ["period"] = new JsonObject { ["start"] = time.StartText, ["end"] = time.EndText },
        ["location"] = new JsonArray(new JsonObject { ["location"] = DemoHospital.Reference("Location", practitioner.RoomId) }),
        ["serviceProvider"] = DemoHospital.Reference("Organization", DemoHospital.OrganizationId),
    };
}
