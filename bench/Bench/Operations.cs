using System.Globalization;
using System.Text.Json.Nodes;

namespace Bench;

/// <param name="Aim">Share of the bare endpoint that design asks for; null where it asks none.</param>
/// <param name="Sample">A request of this kind that may be sent once more, for the answer whose bytes the bare endpoint gives.</param>
/// <param name="Expected">Statuses that may come.</param>
/// <param name="Source">Requests of a connection.</param>
/// <param name="Finite">True where the sources run dry: no time limit, no separate warm-up.</param>
internal sealed record Operation(
    string Name, string Title, double? Aim, byte[] Sample, int[] Expected, Func<int, IRequestSource> Source, bool Finite = false);

/// <summary>What is measured, in an order in which no operation spoils the data of the next.</summary>
internal static class Operations
{
    private const string Placeholder = "00009999";

    public static IEnumerable<Operation> All(DataSet data, HttpText http)
    {
        var reads = Many(data.Patients, i => http.Get($"/fhir/Patient/patient-{i}"));
        yield return Cycling("read", "read", 0.6, reads);
        yield return Cycling("identifier", "search by identifier, 1 hit", 0.4, Many(data.Patients, i => http.Get($"/fhir/Patient?identifier=urn:bench%7C{DataSet.Identifier(i)}")));
        yield return Cycling("name", $"search by name, {DataSet.NameHits} hits", null, Many(data.Patients / DataSet.NameHits, i => http.Get($"/fhir/Patient?name={DataSet.Family(i * DataSet.NameHits)}")));
        yield return Cycling("birthdate", "search by birthdate, 1 hit", 0.4, Many(data.Patients, i => http.Get($"/fhir/Patient?birthdate={DataSet.BirthDate(i)}")));
        yield return Cycling("slots", "Slot by schedule, status, start, 20 hits", 0.5, Many(DataSet.Schedules * 4, i => http.Get(SlotSearch(i % DataSet.Schedules, 40 * (i / DataSet.Schedules)))));
        yield return Cycling("find", "`$find`, one schedule, one day", null, Many(DataSet.Schedules * 4, i => http.Get(Find(i % DataSet.Schedules, i / DataSet.Schedules))));
        yield return Creating("create", "create", 0.13, http.Post("/fhir/Patient", DataSet.Patient(9999, "").Replace("+49 151 ", "+49 151", StringComparison.Ordinal)));
        yield return Creating("transaction", "transaction of 10", 0.06, http.Post("/fhir", Transaction()));
        yield return Booking(data, http);
        yield return Fighting(http);
    }

    private static Operation Cycling(string name, string title, double? aim, byte[][] requests) =>
        new(name, title, aim, requests[0], [200], connection => new Cycle(requests, connection * 157));

    private static Operation Creating(string name, string title, double aim, byte[] template) =>
        new(name, title, aim, template, name == "create" ? [201] : [200], _ => new Numbered(template, System.Text.Encoding.ASCII.GetBytes(Placeholder)));

    /// <summary>Every slot of the hundred schedules once, neighbours in time going to different patients.</summary>
    public static List<byte[]> Bookings(DataSet data, HttpText http, int slots)
    {
        var requests = new List<byte[]>(DataSet.Schedules * slots);
        for (var slot = 0; slot < slots; slot++)
        {
            for (var schedule = 0; schedule < DataSet.Schedules; schedule++)
            {
                requests.Add(Book(http, schedule, slot, (slot * DataSet.Schedules + schedule) % data.Patients));
            }
        }
        return requests;
    }

    private static Operation Booking(DataSet data, HttpText http)
    {
        var requests = Bookings(data, http, DataSet.SlotsOfASchedule);
        var once = new Once(requests[1..]);
        return new("book", "`$book`, spread", 0.1, requests[0], [201], _ => once.Source(), Finite: true);
    }

    /// <summary>64 clients, each a patient of its own, each wanting every one of the hundred slots, five times over.</summary>
    private static Operation Fighting(HttpText http)
    {
        Func<int, IRequestSource> source = connection => new Shuffled(
            Enumerable.Range(DataSet.Schedules, DataSet.FightRounds)
                .Select(schedule => Many(DataSet.FightSlots, slot => Book(http, schedule, slot, connection))),
            connection);
        // The sample is a slot that the spread bookings took: nearly all answers of the fight are refusals.
        return new("fight", $"`$book`, clients fighting for {DataSet.FightSlots} slots", 0.07, Book(http, 0, 0, 5000), [201, 409], source, Finite: true);
    }

    private static byte[] Book(HttpText http, int schedule, int slot, int patient)
    {
        var (start, end) = DataSet.SlotTime(slot);
        return http.Post("/fhir/Appointment/$book", string.Create(CultureInfo.InvariantCulture,
            $$"""{"resourceType":"Appointment","status":"proposed","slot":[{"reference":"Slot/{{DataSet.SlotId(schedule, slot)}}"}],"start":"{{start}}","end":"{{end}}","participant":[{"actor":{"reference":"Patient/patient-{{patient}}"},"status":"accepted"},{"actor":{"reference":"Practitioner/doctor-{{schedule}}"},"status":"accepted"}]}"""));
    }

    private static string Find(int schedule, int day) =>
        $"/fhir/Appointment/$find?schedule=Schedule/schedule-{schedule}&start={DataSet.Day(day)}&end={DataSet.Day(day + 1)}&_count=20";

    private static string SlotSearch(int schedule, int from) =>
        $"/fhir/Slot?schedule=Schedule/schedule-{schedule}&status=free&start=ge{DataSet.SlotTime(from).Start}&start=lt{DataSet.SlotTime(from + 20).Start}&_count=20";

    /// <summary>A patient and nine observations of hers, tied by urn:uuid.</summary>
    private static string Transaction()
    {
        const string Patient = "urn:uuid:5f6a2b1c-8d1e-4c3a-9a55-0c1b00009999";
        var entries = new JsonArray(Entry("Patient", Patient, JsonNode.Parse($$"""{"resourceType":"Patient","identifier":[{"system":"urn:bench","value":"T-{{Placeholder}}"}],"name":[{"family":"Transaction","given":["Marie"]}],"gender":"female","birthDate":"1980-05-05"}""")!));
        for (var i = 0; i < 9; i++)
        {
            entries.Add(Entry("Observation", $"urn:uuid:5f6a2b1c-8d1e-4c3a-9a5{i}-1c1b00009999", JsonNode.Parse($$$"""{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8302-{{{i}}}","display":"Body height"}]},"subject":{"reference":"{{{Patient}}}"},"effectiveDateTime":"2026-03-0{{{i + 1}}}T08:00:00Z","valueQuantity":{"value":17{{{i}}}.5,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"}}""")!));
        }
        return new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = entries }.ToJsonString();
    }

    private static JsonObject Entry(string type, string fullUrl, JsonNode resource) => new()
    {
        ["fullUrl"] = fullUrl,
        ["resource"] = resource,
        ["request"] = new JsonObject { ["method"] = "POST", ["url"] = type },
    };

    private static byte[][] Many(int count, Func<int, byte[]> make)
    {
        var requests = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            requests[i] = make(i);
        }
        return requests;
    }
}
