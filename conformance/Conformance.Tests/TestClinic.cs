using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests;

/// <summary>One practitioner with a day of free half-hour slots, and two patients, all under ids of their own.</summary>
public sealed class TestClinic
{
    /// <summary>Far enough ahead to be bookable for years, and a different day for every clinic.</summary>
    private static readonly DateTimeOffset FirstDay = new(2044, 1, 4, 9, 0, 0, TimeSpan.Zero);

    private readonly ServerUnderTest _server;

    private TestClinic(ServerUnderTest server, string key, IReadOnlyList<(string Reference, string Start, string End)> slots)
    {
        _server = server;
        Key = key;
        Slots = slots;
    }

    /// <summary>Part of every id and identifier of this clinic.</summary>
    public string Key { get; }

    public IReadOnlyList<(string Reference, string Start, string End)> Slots { get; }

    public string Practitioner => $"Practitioner/p-{Key}";

    public string Schedule => $"Schedule/s-{Key}";

    public string Patient => $"Patient/a-{Key}";

    public string OtherPatient => $"Patient/b-{Key}";

    public static async Task<TestClinic> OpenAsync(ServerUnderTest server)
    {
        var key = Guid.NewGuid().ToString("N")[..20];
        var entries = new JsonArray(
            Put(new() { ["resourceType"] = "Practitioner", ["id"] = $"p-{key}", ["active"] = true, ["name"] = new JsonArray(new JsonObject { ["family"] = $"Doctor{key}" }) }),
            Put(PatientResource($"a-{key}", $"Árvíz{key}", key + "-a")),
            Put(PatientResource($"b-{key}", $"Berg{key}", key + "-b")),
            Put(new()
            {
                ["resourceType"] = "Schedule",
                ["id"] = $"s-{key}",
                ["active"] = true,
                ["actor"] = new JsonArray(new JsonObject { ["reference"] = $"Practitioner/p-{key}", ["display"] = "Doctor" }),
            }));
        var slots = new List<(string, string, string)>();
        for (var i = 0; i < 6; i++)
        {
            var start = FirstDay.AddMinutes(30 * i);
            var (from, to) = (Instant(start), Instant(start.AddMinutes(30)));
            entries.Add(Put(new()
            {
                ["resourceType"] = "Slot",
                ["id"] = $"t{i}-{key}",
                ["schedule"] = new JsonObject { ["reference"] = $"Schedule/s-{key}" },
                ["status"] = "free",
                ["start"] = from,
                ["end"] = to,
            }));
            slots.Add(($"Slot/t{i}-{key}", from, to));
        }
        var answer = await server.PostAsync("", new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = entries });
        answer.Is(HttpStatusCode.OK);
        return new(server, key, slots);
    }

    /// <summary>What a client sends to <c>$book</c>.</summary>
    public JsonObject Booking(int slot, string? patient = null) => new()
    {
        ["resourceType"] = "Appointment",
        ["status"] = "proposed",
        ["slot"] = new JsonArray(new JsonObject { ["reference"] = Slots[slot].Reference }),
        ["start"] = Slots[slot].Start,
        ["end"] = Slots[slot].End,
        ["participant"] = new JsonArray(
            new JsonObject { ["actor"] = new JsonObject { ["reference"] = patient ?? Patient, ["display"] = "Patient" }, ["status"] = "accepted" },
            new JsonObject { ["actor"] = new JsonObject { ["reference"] = Practitioner, ["display"] = "Doctor" }, ["status"] = "accepted" }),
    };

    public async Task<string?> SlotStatusAsync(int slot) => (string?)(await _server.GetAsync(Slots[slot].Reference)).Is(HttpStatusCode.OK).Body!["status"];

    private static JsonObject PatientResource(string id, string family, string identifier) => new()
    {
        ["resourceType"] = "Patient",
        ["id"] = id,
        ["identifier"] = new JsonArray(new JsonObject { ["system"] = "urn:conformance", ["value"] = identifier }),
        ["active"] = true,
        ["name"] = new JsonArray(new JsonObject { ["family"] = family, ["given"] = new JsonArray("Zoë") }),
        ["gender"] = "female",
        ["birthDate"] = "1980-02-29",
    };

    private static JsonObject Put(JsonObject resource) => new()
    {
        ["resource"] = resource,
        ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"{resource["resourceType"]}/{resource["id"]}" },
    };

    private static string Instant(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
