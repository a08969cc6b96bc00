using System.Globalization;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore.Writing;

namespace SchedulingOperations.Booking;

/// <summary>
/// Who made the appointments of a commit what they are: one Provenance, stored with them, that points at the versions this commit writes.
/// https://hl7.org/fhir/R4/provenance.html
/// </summary>
internal sealed class BookingProvenance(SchedulingOptions options, string? baseUrl, TimeProvider clock)
{
    private const string Cause = "provenance";
    private const string DataOperation = "http://terminology.hl7.org/CodeSystem/v3-DataOperation";
    private const string ParticipantType = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    private const string Dicom = "http://dicom.nema.org/resources/ontology/DCM";

    /// <param name="call">Null where the server does it by itself.</param>
    public async ValueTask AddAsync(WritePlan plan, SchedulingCall? call, CancellationToken ct)
    {
        if (!options.Provenance)
        {
            return;
        }
        // A hold whose time is over is ended by the server, also where somebody who wants its slot comes upon it.
        var (asked, expired) = (new List<PlannedWrite>(), new List<PlannedWrite>());
        foreach (var write in plan.Writes)
        {
            if (write.Key.Type is "Appointment" or "Patient" && write.Resource is not null)
            {
                (call is null || write.Cause == HoldCauses.Expired ? expired : asked).Add(write);
            }
        }
        await AddAsync(plan, asked, call is null ? "" : "$" + call.Operation.ToString().ToLowerInvariant(), () => AgentsOf(call!), ct);
        await AddAsync(plan, expired, HoldCauses.Expired, () => [Agent("author", ParticipantType, Identified(baseUrl?.TrimEnd('/')))], ct);
    }

    private async ValueTask AddAsync(WritePlan plan, List<PlannedWrite> writes, string activity, Func<JsonArray> agents, CancellationToken ct)
    {
        if (writes.Count == 0)
        {
            return;
        }
        var isNew = writes.TrueForAll(static write => write.Previous is not { Deleted: false });
        var provenance = new JsonObject
        {
            ["resourceType"] = "Provenance",
            ["target"] = new JsonArray([.. writes.Select(static write => Reference(string.Create(CultureInfo.InvariantCulture, $"{write.Key}/_history/{(write.Previous?.Version ?? 0) + 1}")))]),
            ["recorded"] = clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            ["activity"] = new JsonObject
            {
                ["coding"] = new JsonArray(new JsonObject { ["system"] = DataOperation, ["code"] = isNew ? "CREATE" : "UPDATE" }),
                ["text"] = activity,
            },
            ["agent"] = agents(),
        };
        (await plan.AddAsync(new("Provenance", FhirIds.New(clock)), provenance, Cause, ct)).Vouched = true;
    }

    private static JsonArray AgentsOf(SchedulingCall call)
    {
        var author = call.Author ?? new(call.ClientId);
        if (author.AccountId is not { } account)
        {
            return [Agent("author", ParticipantType, Identified(author.ClientId))];
        }
        var who = Identified(account);
        if (author.FhirUser is { } person)
        {
            who["reference"] = person.ToString();
        }
        return [Agent("author", ParticipantType, who), Agent("110150", Dicom, Identified(author.ClientId))];
    }

    private static JsonNode Agent(string type, string system, JsonObject who) => new JsonObject
    {
        ["type"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = system, ["code"] = type }) },
        ["who"] = who,
    };

    private static JsonObject Identified(string? value) => value is null ? new() { ["display"] = "the server" } : new() { ["identifier"] = new JsonObject { ["value"] = value } };

    private static JsonNode Reference(string to) => new JsonObject { ["reference"] = to };
}
