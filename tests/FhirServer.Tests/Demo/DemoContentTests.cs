using System.Text.Json.Nodes;
using FhirServer.Demo;
using FhirStore.Json;
using NodaTime;

namespace FhirServer.Tests.Demo;

public sealed class DemoContentTests
{
    private static readonly LocalDate Opened = new(2026, 10, 12); // four weeks from here hold a clock change in Berlin
    private static readonly Instant Now = Instant.FromUtc(2026, 10, 12, 10, 10);

    [Fact]
    public void Content_OfOneSeedAndDay_IsTheSameEveryTime()
    {
        Assert.Equal(Texts(DemoSeeder.DefaultSeed), Texts(DemoSeeder.DefaultSeed));
        Assert.NotEqual(Texts(DemoSeeder.DefaultSeed), Texts(DemoSeeder.DefaultSeed + 1));
    }

    [Fact]
    public void Content_IsAHospitalOfTheSizeItPromises()
    {
        var all = Everything(DemoSeeder.DefaultSeed);
        int Count(string type) => all.Count(resource => (string?)resource["resourceType"] == type);

        Assert.Equal(12, Count("Practitioner"));
        Assert.Equal(12, Count("PractitionerRole"));
        Assert.Equal(12, Count("Schedule"));
        Assert.Equal(200, Count("Patient"));
        Assert.Equal(14, Count("Location"));
        Assert.InRange(Count("Slot"), 2_000, 6_000);
        Assert.InRange(Count("Appointment"), 50, 400);
        Assert.InRange(Count("Encounter"), 50, Count("Appointment") - 1);
        Assert.Equal(2, DemoSites.Practitioners.Select(p => p.Site.Zone).Distinct().Count());
        Assert.Equal(all.Count, all.Select(resource => $"{resource["resourceType"]}/{resource["id"]}").Distinct().Count());
    }

    [Fact]
    public void References_PointAtWhatIsThere()
    {
        var all = Everything(DemoSeeder.DefaultSeed);
        var there = all.Select(resource => $"{resource["resourceType"]}/{resource["id"]}").ToHashSet();

        Assert.Empty(all.SelectMany(References).Where(reference => !there.Contains(reference)).Distinct());
    }

    [Fact]
    public void Resources_PassTheStrictParser()
    {
        foreach (var resource in Everything(DemoSeeder.DefaultSeed))
        {
            var parsed = ResourceParser.Parse(System.Text.Encoding.UTF8.GetBytes(resource.ToJsonString()), (string)resource["resourceType"]!);
            Assert.True(parsed.Failure is null, $"{resource["resourceType"]}/{resource["id"]}: {string.Join(' ', parsed.Failure?.Issues ?? [])}");
        }
    }

    [Fact]
    public void Slots_LieAhead_Visits_LieBehind()
    {
        Assert.All(DemoVisits.Slots(Now), slot => Assert.True(At(slot, "start") > Now.ToDateTimeOffset()));
        Assert.All(
            DemoVisits.Past(DemoSeeder.DefaultSeed, Opened, DemoPatients.All(DemoSeeder.DefaultSeed, Opened)).Where(r => (string?)r["resourceType"] == "Appointment"),
            visit => Assert.True(At(visit, "end") <= Now.ToDateTimeOffset()));
    }

    [Fact]
    public void Slots_ADayLater_AreTheSameOnesAndOneDayMore()
    {
        var today = DemoVisits.Slots(Now).Select(slot => slot.ToJsonString()).ToHashSet();
        var tomorrow = DemoVisits.Slots(Now + Duration.FromDays(1)).Select(slot => slot.ToJsonString()).ToHashSet();

        Assert.True(tomorrow.Count(slot => !today.Contains(slot)) < 200);
        Assert.All(today.Except(tomorrow), gone => Assert.True(At(JsonNode.Parse(gone)!.AsObject(), "start") <= (Now + Duration.FromDays(1)).ToDateTimeOffset()));
    }

    private static DateTimeOffset At(JsonObject resource, string element) =>
        DateTimeOffset.Parse((string)resource[element]!, System.Globalization.CultureInfo.InvariantCulture);

    private static string[] Texts(int seed) => [.. Everything(seed).Select(resource => resource.ToJsonString())];

    private static List<JsonObject> Everything(int seed)
    {
        var patients = DemoPatients.All(seed, Opened);
        return
        [
            .. DemoHospital.Resources(Opened), .. patients.Select(patient => patient.Resource),
            .. DemoVisits.Past(seed, Opened, patients), .. DemoVisits.Slots(Now),
        ];
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject item => item.SelectMany(property => property is { Key: "reference", Value: JsonValue value } ? [(string)value!] : References(property.Value)),
        JsonArray items => items.SelectMany(References),
        _ => [],
    };
}
