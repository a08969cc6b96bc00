using System.Text.Json;
using FhirCore;
using FhirStore.Indexing;

namespace Authorization.Access;

/// <summary>
/// What patients may not do to their own appointments by a plain write: say that a visit took place, speak for other participants, or
/// write into somebody else's record. Staff, and the operations, have rules of their own.
/// </summary>
internal sealed class PatientWrites(ResourceIndexer indexer)
{
    /// <summary>Said by the desk, https://hl7.org/fhir/R4/valueset-appointmentstatus.html.</summary>
    private static readonly string[] OfTheDesk = ["arrived", "checked-in", "fulfilled", "noshow", "entered-in-error"];

    public FhirFailure? Check(Grant grant, ResourceKey key, JsonElement? before, JsonElement? after)
    {
        if (grant.User is not { FhirUser: { Type: "Patient" } self } user || user.Roles.Any(held => held.Role != Role.Patient) || after is not { } written
            || RoleRights.IsOwn(key.Type))
        {
            return null;
        }
        if (indexer.SubjectOf(key, written) != self.Id)
        {
            return Refuse($"A patient writes only what is about themselves alone: this {key.Type} names another patient.", key.Type);
        }
        return key.Type == "Appointment" ? CheckAppointment(self, before, written) : null;
    }

    private static FhirFailure? CheckAppointment(ResourceKey self, JsonElement? before, JsonElement after)
    {
        if (OfTheDesk.Contains(Text(after, "status"u8)) || (before is { } stood && OfTheDesk.Contains(Text(stood, "status"u8))))
        {
            return Refuse("A patient does not set the status of an appointment to arrived, checked-in, fulfilled, noshow or entered-in-error, nor change one that has it.", "Appointment.status");
        }
        var others = Others(after, self);
        if (before is { } old)
        {
            var known = Others(old, self);
            return known.Count == others.Count && known.Zip(others).All(pair => JsonElement.DeepEquals(pair.First, pair.Second))
                ? null
                : Refuse("A patient changes their own participation only: the other participants stay as they are.", "Appointment.participant");
        }
        return others.TrueForAll(other => Text(other, "status"u8) == "needs-action")
            ? null
            : Refuse("A patient does not answer for others: participants other than the patient have the status needs-action.", "Appointment.participant.status");
    }

    private static List<JsonElement> Others(JsonElement appointment, ResourceKey self) =>
        appointment.TryGetProperty("participant"u8, out var participants) && participants.ValueKind == JsonValueKind.Array
            ? [.. participants.EnumerateArray().Where(p => !(p.TryGetProperty("actor"u8, out var actor) && Text(actor, "reference"u8) is { } reference && IsSelf(reference, self)))]
            : [];

    private static bool IsSelf(string reference, ResourceKey self) =>
        reference == self.ToString() || reference.EndsWith($"/{self}", StringComparison.Ordinal);

    private static string? Text(JsonElement parent, ReadOnlySpan<byte> name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static FhirFailure Refuse(string diagnostics, string expression) => FhirFailure.Of(FailureKind.Forbidden, diagnostics, expression);
}
