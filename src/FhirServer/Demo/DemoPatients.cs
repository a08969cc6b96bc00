using System.Globalization;
using System.Text.Json.Nodes;
using NodaTime;

namespace FhirServer.Demo;

/// <param name="Id">Random in form, so that an id tells nothing about whose it is.</param>
internal sealed record DemoPatient(int Number, string Id, string Family, string Given, DemoSite Site, JsonObject Resource)
{
    public string Display => $"{Given} {Family}";
}

/// <summary>Invented people of both sites.</summary>
internal static class DemoPatients
{
    public const int Count = 200;

    private static readonly string[] BerlinStreets = ["Bergmannstraße", "Karl-Marx-Allee", "Schönhauser Allee", "Müllerstraße", "Am Großen Wannsee"];
    private static readonly string[] AlmatyStreets = ["проспект Абая", "улица Сатпаева", "проспект Достык", "улица Жібек Жолы"];

    /// <param name="firstDay">Ages are counted back from it, so that the youngest is never unborn.</param>
    public static IReadOnlyList<DemoPatient> All(int seed, LocalDate firstDay) => [.. Enumerable.Range(1, Count).Select(number => One(seed, number, firstDay))];

    private static DemoPatient One(int seed, int number, LocalDate firstDay)
    {
        var random = new DemoRandom(seed, $"patient-{number}");
        var id = DemoRandom.Uuid(seed, $"patient-{number}");
        var site = random.Percent(60) ? DemoSites.Berlin : DemoSites.Almaty;
        var locale = random.Pick(site == DemoSites.Berlin ? DemoNames.Berlin : DemoNames.Almaty);
        var woman = random.Percent(52);
        var family = random.Pick(woman ? locale.FemaleFamilies : locale.Families);
        var given = random.Pick(woman ? locale.Women : locale.Men);
        var born = firstDay.PlusDays(-random.Below(92 * 365) - 30);
        var doctor = random.Pick(DemoSites.Practitioners.Where(p => p.Site == site && p.Service == DemoSites.General).ToArray());
        var resource = new JsonObject
        {
            ["resourceType"] = "Patient",
            ["id"] = id,
            ["identifier"] = new JsonArray(new JsonObject
            {
                ["use"] = "usual",
                ["type"] = DemoHospital.Concept("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical record number"),
                ["system"] = DemoSystems.RecordNumber,
                ["value"] = $"LH-{number:000000}",
                ["assigner"] = DemoHospital.Reference("Organization", DemoHospital.OrganizationId),
            }),
            ["active"] = true,
            ["name"] = Names(random, woman, family, given),
            ["telecom"] = Telecom(random, site, number),
            ["gender"] = random.Percent(2) ? "other" : woman ? "female" : "male",
            ["birthDate"] = born.ToString("uuuu'-'MM'-'dd", CultureInfo.InvariantCulture),
            ["address"] = new JsonArray(Address(random, site)),
            ["communication"] = new JsonArray(new JsonObject
            {
                ["language"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = "urn:ietf:bcp:47", ["code"] = locale.Language }) },
                ["preferred"] = true,
            }),
            ["generalPractitioner"] = new JsonArray(DemoHospital.Reference("Practitioner", doctor.Id, doctor.Display)),
            ["managingOrganization"] = DemoHospital.Reference("Organization", DemoHospital.OrganizationId),
        };
        return new(number, id, family, given, site, resource);
    }

    private static JsonArray Names(DemoRandom random, bool woman, string family, string given)
    {
        var names = new JsonArray(new JsonObject { ["use"] = "official", ["family"] = family, ["given"] = GivenNames(given) });
        if (woman && random.Percent(20))
        {
            names.Add(new JsonObject { ["use"] = "maiden", ["family"] = random.Pick(DemoNames.German.Families), ["given"] = GivenNames(given) });
        }
        return names;
    }

    private static JsonArray GivenNames(string given) => new([.. given.Split(' ').Select(name => (JsonNode)name)]);

    private static JsonArray Telecom(DemoRandom random, DemoSite site, int number)
    {
        var telecom = new JsonArray(new JsonObject
        {
            ["system"] = "phone",
            ["value"] = $"{site.PhonePrefix} {200 + number:000}",
            ["use"] = random.Percent(70) ? "mobile" : "home",
        });
        if (random.Percent(60))
        {
            telecom.Add(new JsonObject { ["system"] = "email", ["value"] = $"patient{number}@demo.example" });
        }
        return telecom;
    }

    private static JsonObject Address(DemoRandom random, DemoSite site)
    {
        var street = random.Pick(site == DemoSites.Berlin ? BerlinStreets : AlmatyStreets);
        return new()
        {
            ["use"] = "home",
            ["line"] = new JsonArray($"{street} {1 + random.Below(180)}"),
            ["city"] = site.City,
            ["postalCode"] = site == DemoSites.Berlin ? $"1{random.Below(4)}{random.Below(1000):000}" : $"0500{random.Below(100):00}",
            ["country"] = site.Country,
        };
    }
}
