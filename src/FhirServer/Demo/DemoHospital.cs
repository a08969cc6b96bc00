using System.Text.Json.Nodes;
using NodaTime;

namespace FhirServer.Demo;

/// <summary>What stands in the house before any patient comes: organization, sites, rooms, services, practitioners, schedules.</summary>
internal static class DemoHospital
{
    public const string OrganizationId = "demo-hospital";

    /// <param name="firstDay">Day the hospital opened: the start of every schedule's horizon.</param>
    public static IEnumerable<JsonObject> Resources(LocalDate firstDay)
    {
        yield return Organization();
        foreach (var site in DemoSites.All)
        {
            yield return Site(site);
        }
        foreach (var practitioner in DemoSites.Practitioners)
        {
            yield return Room(practitioner);
        }
        foreach (var practitioner in DemoSites.Practitioners.DistinctBy(p => p.HealthcareServiceId))
        {
            yield return HealthcareService(practitioner);
        }
        foreach (var practitioner in DemoSites.Practitioners)
        {
            yield return Practitioner(practitioner);
            yield return Role(practitioner);
            yield return Schedule(practitioner, firstDay);
        }
    }

    public static JsonObject Reference(string type, string id, string? display = null)
    {
        var reference = new JsonObject { ["reference"] = $"{type}/{id}" };
        if (display is not null)
        {
            reference["display"] = display;
        }
        return reference;
    }

    public static JsonObject Concept(string system, string code, string display) => new()
    {
        ["coding"] = new JsonArray(new JsonObject { ["system"] = system, ["code"] = code, ["display"] = display }),
    };

    public static JsonObject ServiceType(DemoService service) => Concept(DemoSystems.Service, service.Code, service.Name);

    private static JsonObject Specialty(DemoService service) => Concept(DemoSystems.Snomed, service.Specialty, service.SpecialtyName);

    private static JsonArray ZoneExtension(DemoSite site) => [new JsonObject { ["url"] = DemoSystems.TimeZone, ["valueCode"] = site.Zone }];

    private static JsonObject Organization() => new()
    {
        ["resourceType"] = "Organization",
        ["id"] = OrganizationId,
        ["active"] = true,
        ["type"] = new JsonArray(Concept("http://terminology.hl7.org/CodeSystem/organization-type", "prov", "Healthcare Provider")),
        ["name"] = "Lindenhof Clinics",
    };

    private static JsonObject Site(DemoSite site) => new()
    {
        ["resourceType"] = "Location",
        ["id"] = site.LocationId,
        ["extension"] = ZoneExtension(site),
        ["status"] = "active",
        ["name"] = site.Name,
        ["mode"] = "instance",
        ["telecom"] = new JsonArray(new JsonObject { ["system"] = "phone", ["value"] = $"{site.PhonePrefix} 000", ["use"] = "work" }),
        ["address"] = new JsonObject
        {
            ["use"] = "work",
            ["line"] = new JsonArray(site.Street),
            ["city"] = site.City,
            ["postalCode"] = site.PostalCode,
            ["country"] = site.Country,
        },
        ["physicalType"] = Concept("http://terminology.hl7.org/CodeSystem/location-physical-type", "si", "Site"),
        ["managingOrganization"] = Reference("Organization", OrganizationId),
    };

    private static JsonObject Room(DemoPractitioner practitioner) => new()
    {
        ["resourceType"] = "Location",
        ["id"] = practitioner.RoomId,
        ["extension"] = ZoneExtension(practitioner.Site),
        ["status"] = "active",
        ["name"] = RoomName(practitioner),
        ["mode"] = "instance",
        ["physicalType"] = Concept("http://terminology.hl7.org/CodeSystem/location-physical-type", "ro", "Room"),
        ["managingOrganization"] = Reference("Organization", OrganizationId),
        ["partOf"] = Reference("Location", practitioner.Site.LocationId, practitioner.Site.Name),
    };

    private static string RoomName(DemoPractitioner practitioner) => $"Room {practitioner.Number:00}, {practitioner.Site.Name}";

    private static JsonObject HealthcareService(DemoPractitioner practitioner) => new()
    {
        ["resourceType"] = "HealthcareService",
        ["id"] = practitioner.HealthcareServiceId,
        ["active"] = true,
        ["providedBy"] = Reference("Organization", OrganizationId),
        ["type"] = new JsonArray(ServiceType(practitioner.Service)),
        ["specialty"] = new JsonArray(Specialty(practitioner.Service)),
        ["location"] = new JsonArray(Reference("Location", practitioner.Site.LocationId, practitioner.Site.Name)),
        ["name"] = $"{practitioner.Service.SpecialtyName}, {practitioner.Site.City}",
        ["appointmentRequired"] = true,
    };

    private static JsonObject Practitioner(DemoPractitioner practitioner) => new()
    {
        ["resourceType"] = "Practitioner",
        ["id"] = practitioner.Id,
        ["identifier"] = new JsonArray(new JsonObject { ["system"] = DemoSystems.Staff, ["value"] = $"S-{practitioner.Number:0000}" }),
        ["active"] = true,
        ["name"] = new JsonArray(new JsonObject
        {
            ["use"] = "official",
            ["family"] = practitioner.Family,
            ["given"] = new JsonArray(practitioner.Given),
            ["prefix"] = new JsonArray("Dr."),
        }),
        ["telecom"] = new JsonArray(new JsonObject { ["system"] = "phone", ["value"] = $"{practitioner.Site.PhonePrefix} {practitioner.Number:000}", ["use"] = "work" }),
        ["gender"] = practitioner.Gender,
        ["qualification"] = new JsonArray(new JsonObject { ["code"] = Concept("http://terminology.hl7.org/CodeSystem/v2-0360", "MD", "Doctor of Medicine") }),
    };

    private static JsonObject Role(DemoPractitioner practitioner) => new()
    {
        ["resourceType"] = "PractitionerRole",
        ["id"] = practitioner.RoleId,
        ["active"] = true,
        ["practitioner"] = Reference("Practitioner", practitioner.Id, practitioner.Display),
        ["organization"] = Reference("Organization", OrganizationId),
        ["code"] = new JsonArray(Concept("http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor", "Doctor")),
        ["specialty"] = new JsonArray(Specialty(practitioner.Service)),
        ["location"] = new JsonArray(Reference("Location", practitioner.Site.LocationId, practitioner.Site.Name)),
        ["healthcareService"] = new JsonArray(Reference("HealthcareService", practitioner.HealthcareServiceId)),
        ["availableTime"] = new JsonArray([.. practitioner.Hours.SelectMany(AvailableTimes)]),
    };

    /// <summary>R4 cannot say a time over midnight in one entry.</summary>
    private static IEnumerable<JsonNode> AvailableTimes(DemoHours hours)
    {
        if (hours.To > hours.From)
        {
            return [AvailableTime(hours.Days, hours.From, hours.To)];
        }
        var nextDays = hours.Days.Select(day => day == IsoDayOfWeek.Sunday ? IsoDayOfWeek.Monday : day + 1).ToArray();
        return [AvailableTime(hours.Days, hours.From, new(23, 59, 59)), AvailableTime(nextDays, LocalTime.Midnight, hours.To)];
    }

    private static JsonObject AvailableTime(IsoDayOfWeek[] days, LocalTime from, LocalTime to) => new()
    {
        ["daysOfWeek"] = new JsonArray([.. days.Select(day => (JsonNode)day.ToString()[..3].ToLowerInvariant())]),
        ["availableStartTime"] = from.ToString("HH':'mm':'ss", System.Globalization.CultureInfo.InvariantCulture),
        ["availableEndTime"] = to.ToString("HH':'mm':'ss", System.Globalization.CultureInfo.InvariantCulture),
    };

    private static JsonObject Schedule(DemoPractitioner practitioner, LocalDate firstDay) => new()
    {
        ["resourceType"] = "Schedule",
        ["id"] = practitioner.ScheduleId,
        ["extension"] = ZoneExtension(practitioner.Site),
        ["active"] = true,
        ["serviceType"] = new JsonArray(ServiceType(practitioner.Service)),
        ["specialty"] = new JsonArray(Specialty(practitioner.Service)),
        ["actor"] = new JsonArray(
            Reference("Practitioner", practitioner.Id, practitioner.Display),
            Reference("PractitionerRole", practitioner.RoleId),
            Reference("Location", practitioner.RoomId, RoomName(practitioner)),
            Reference("HealthcareService", practitioner.HealthcareServiceId)),
        ["planningHorizon"] = new JsonObject { ["start"] = firstDay.AtStartOfDayInZone(practitioner.Site.TimeZone).ToInstant().ToString() },
        ["comment"] = $"{practitioner.SlotMinutes} minutes a visit",
    };
}
