using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore.Access;
using FhirStore.Search;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Who an appointment is for: found, alive in the records, and active.</summary>
internal sealed class Patients(SearchService search, TimeProvider clock)
{
    /// <summary>Resolves the patients among the participants and sets their references to this server's own form.</summary>
    public async ValueTask<FhirFailure?> CheckParticipantsAsync(SchedulingCall call, PlanDesk desk, JsonObject appointment, CancellationToken ct)
    {
        foreach (var participant in AppointmentEdits.Participants(appointment))
        {
            if (participant["actor"] is not JsonObject actor)
            {
                continue;
            }
            var reference = AppointmentEdits.Text(actor, "reference");
            if (reference is null)
            {
                if (AppointmentEdits.Text(actor, "type") == "Patient" && actor["identifier"] is JsonObject identifier)
                {
                    if (!(await FindAsync(call, [(AppointmentEdits.Text(identifier, "system"), AppointmentEdits.Text(identifier, "value"))], ct)).TryGet(out var match, out var unclear))
                    {
                        return unclear;
                    }
                    if (match.Key is not { } matched)
                    {
                        return Refusals.Rule("No patient has the identifier that a participant is named by.", "Appointment.participant.actor", "reference-not-found");
                    }
                    reference = matched.ToString();
                    actor["reference"] = reference;
                }
                else
                {
                    continue;
                }
            }
            if (!call.TryParse(reference, out var key))
            {
                if (reference.Contains("Patient/", StringComparison.Ordinal))
                {
                    return Refusals.Rule("A patient of another server cannot be booked here.", "Appointment.participant.actor", "reference-not-found");
                }
                continue;
            }
            actor["reference"] = key.ToString();
            if (key.Type == "Patient" && await CheckAsync(call, desk, key, "Appointment.participant.actor", ct) is { } refusal)
            {
                return refusal;
            }
        }
        return null;
    }

    /// <returns>Null where the patient is there and active.</returns>
    public static async ValueTask<FhirFailure?> CheckAsync(SchedulingCall call, PlanDesk desk, ResourceKey patient, string expression, CancellationToken ct)
    {
        if (desk.Plan.Find(patient) is { Resource: not null })
        {
            return null;
        }
        if (await call.SeenAsync(desk.Plan, patient, Use.Name, ct) is not { Deleted: false } stored)
        {
            return Refusals.Unknown("The patient", expression);
        }
        return stored.Root().TryGetProperty("active"u8, out var active) && active.ValueKind == JsonValueKind.False
            ? Refusals.Rule("The patient's record is not active.", expression, "patient-inactive")
            : null;
    }

    /// <summary>The patient that a client sent along: known by an identifier, by its id where it has no identifier, or new.</summary>
    public async ValueTask<Outcome<ResourceKey>> ResolveAsync(SchedulingCall call, PlanDesk desk, JsonElement patient, string expression, CancellationToken ct)
    {
        if (!patient.TryGetProperty("resourceType"u8, out var type) || !type.ValueEquals("Patient"u8))
        {
            return Refusals.Malformed("This input is a Patient.", expression, "structure");
        }
        var identifiers = new List<(string? System, string? Value)>();
        foreach (var identifier in new ElementList(patient, "identifier"u8))
        {
            identifiers.Add((TextOf(identifier, "system"u8), TextOf(identifier, "value"u8)));
        }
        identifiers.RemoveAll(identifier => string.IsNullOrEmpty(identifier.Value));
        if (identifiers.Count == 0)
        {
            // An id alone may be the client's own and mean somebody else here, so it is taken only where nothing better was sent.
            if (TextOf(patient, "id"u8) is { } id && FhirIds.IsValid(id))
            {
                var known = new ResourceKey("Patient", id);
                return await CheckAsync(call, desk, known, expression, ct) is { } refusal ? refusal : known;
            }
            return Refusals.Rule("A patient that is sent along needs an identifier.", expression, "patient-unknown");
        }
        if (!(await FindAsync(call, identifiers, ct)).TryGet(out var match, out var unclear))
        {
            return unclear with { Issues = [.. unclear.Issues.Select(issue => issue with { Expression = expression })] };
        }
        if (match.Key is { } found)
        {
            return await CheckAsync(call, desk, found, expression, ct) is { } refusal ? refusal : found;
        }
        if (!call.MayCreatePatient)
        {
            return Refusals.Rule("The patient is not known here, and this client may not create patients.", expression, "patient-unknown");
        }
        foreach (var condition in match.NoOther)
        {
            desk.Plan.Require(condition);
        }
        var key = new ResourceKey("Patient", FhirIds.New(clock));
        (await desk.Plan.AddAsync(key, JsonObject.Create(patient)!, "create", ct)).AskedFor = Use.Create;
        return key;
    }

    /// <summary>Patients are found here in order to be named.</summary>
    private sealed class ByName(ICaller caller) : ICaller
    {
        public string Name => caller.Name;

        public Restriction Reach(Use use, string type) => caller.Reach(use == Use.Search ? Use.Name : use, type);

        public FhirFailure? Object(ResourceKey key, JsonElement? before, JsonElement? after) => caller.Object(key, before, after);
    }

    private readonly record struct Found(ResourceKey? Key, ImmutableArray<FhirCore.Records.RecordCondition.NoneMatch> NoOther);

    private async ValueTask<Outcome<Found>> FindAsync(SchedulingCall call, List<(string? System, string? Value)> identifiers, CancellationToken ct)
    {
        var conditions = ImmutableArray.CreateBuilder<FhirCore.Records.RecordCondition.NoneMatch>();
        ResourceKey? found = null;
        foreach (var (system, value) in identifiers)
        {
            var token = system is null ? QueryText.Escape(value!) : $"{QueryText.Escape(system)}|{QueryText.Escape(value!)}";
            if (!(await search.MatchAsync("Patient", [new("identifier", token)], call.Caller is { } caller ? new ByName(caller) : null, ct)).TryGet(out var match, out var failure))
            {
                return failure;
            }
            if (match.Matches.Length > 1 || match.Matches.Length == 1 && found is { } other && other != match.Matches[0].Key)
            {
                return Refusals.Rule("The identifiers do not single out one patient.", "Appointment.participant.actor", "patient-ambiguous");
            }
            if (match.Matches.Length == 1)
            {
                found = match.Matches[0].Key;
            }
            conditions.Add(match.NoOther);
        }
        return new Found(found, conditions.ToImmutable());
    }

    private static string? TextOf(JsonElement parent, ReadOnlySpan<byte> name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
