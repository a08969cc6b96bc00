using System.Net;
using System.Text.Json.Nodes;

namespace Faults.Tests;

/// <summary>Resources for booking: a day of slots in the far future, one schedule a day.</summary>
internal static class Clinic
{
    public const string Patient = "Patient/faults-patient";

    public static async Task OpenAsync(Deployment server, CancellationToken ct)
    {
        var (status, _) = await server.SendAsync(HttpMethod.Put, Patient, JsonNode.Parse("""{"resourceType":"Patient","id":"faults-patient","active":true,"name":[{"family":"Faults"}]}"""), ct);
        Assert.True(status is HttpStatusCode.Created or HttpStatusCode.OK, $"{status}");
    }

    /// <returns>Slots of a minute each, of one practitioner.</returns>
    public static async Task<List<(string Slot, string Start, string End)>> AddDayAsync(Deployment server, string name, DateOnly day, int slots, CancellationToken ct)
    {
        var (made, bundle) = Day(name, day, slots);
        var (status, body) = await server.SendAsync(HttpMethod.Post, "", bundle, ct);
        Assert.True(status == HttpStatusCode.OK, $"{status} {body}");
        return made;
    }

    /// <summary>The slots, and the transaction that makes them.</summary>
    public static (List<(string Slot, string Start, string End)> Slots, JsonObject Bundle) Day(string name, DateOnly day, int slots)
    {
        var entries = new JsonArray(
            Put($$"""{"resourceType":"Practitioner","id":"doctor-{{name}}","active":true}"""),
            Put($$"""{"resourceType":"Schedule","id":"schedule-{{name}}","active":true,"actor":[{"reference":"Practitioner/doctor-{{name}}"}]}"""));
        var made = new List<(string, string, string)>();
        for (var i = 0; i < slots; i++)
        {
            var start = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero).AddMinutes(i);
            var (from, to) = ($"{start:yyyy-MM-ddTHH:mm:ssZ}", $"{start.AddMinutes(1):yyyy-MM-ddTHH:mm:ssZ}");
            entries.Add(Put($$"""{"resourceType":"Slot","id":"slot-{{name}}-{{i}}","schedule":{"reference":"Schedule/schedule-{{name}}"},"status":"free","start":"{{from}}","end":"{{to}}"}"""));
            made.Add(($"Slot/slot-{name}-{i}", from, to));
        }
        return (made, new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = entries });
    }

    /// <summary>
    /// Comes back when told to, under the same key, so that it is one booking: what a killed process had under way may stand in the way of
    /// others until the engine ends it, and a thousand on a busy machine may not all be done in time.
    /// </summary>
    public static async Task<(HttpStatusCode Status, JsonNode? Body)> BookAsync(Deployment server, (string, string, string) slot, CancellationToken ct)
    {
        var key = Guid.NewGuid().ToString();
        for (var attempt = 1; ; attempt++)
        {
            var answer = await server.SendAsync(HttpMethod.Post, "Appointment/$book", Booking(slot), ct, ("Idempotency-Key", key));
            if (answer.Status != HttpStatusCode.ServiceUnavailable || attempt == 20)
            {
                return answer;
            }
            await Task.Delay(TimeSpan.FromSeconds(1), ct);
        }
    }

    public static JsonObject Booking((string Slot, string Start, string End) slot) => new()
    {
        ["resourceType"] = "Appointment",
        ["status"] = "proposed",
        ["slot"] = new JsonArray(new JsonObject { ["reference"] = slot.Slot }),
        ["start"] = slot.Start,
        ["end"] = slot.End,
        ["participant"] = new JsonArray(new JsonObject
        {
            ["actor"] = new JsonObject { ["reference"] = Patient, ["display"] = "Faults" },
            ["status"] = "accepted",
        }),
    };

    private static JsonObject Put(string json)
    {
        var resource = JsonNode.Parse(json)!.AsObject();
        return new()
        {
            ["resource"] = resource,
            ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"{resource["resourceType"]}/{resource["id"]}" },
        };
    }
}
