using System.Text.Json.Nodes;
using FhirStore.Indexing;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Edits of an Appointment that leave alone what they are not about.</summary>
internal static class AppointmentEdits
{
    /// <summary>Who made a hold: a digest of the client's id, so that another client cannot book it.</summary>
    public const string HoldClientUrl = "urn:fhir-server:appointment-hold-client";

    /// <summary>The appointment that this one takes the place of: R5's element as an extension, as ISiK asks for it.</summary>
    public const string ReplacesUrl = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.replaces";

    /// <summary>Cancelled; everybody who had a part in it has declined now.</summary>
    public static void Cancel(JsonObject appointment, JsonObject? reason)
    {
        appointment["status"] = "cancelled";
        Extensions.Remove(appointment, OperationalFields.HoldUntilUrl);
        if (reason is not null)
        {
            appointment["cancelationReason"] = reason;
        }
        foreach (var participant in Participants(appointment))
        {
            participant["status"] = "declined";
        }
    }

    public static void RemoveHold(JsonObject appointment)
    {
        Extensions.Remove(appointment, OperationalFields.HoldUntilUrl);
        Extensions.Remove(appointment, HoldClientUrl);
    }

    public static void SetHold(JsonObject appointment, DateTimeOffset until, string client)
    {
        Extensions.Set(appointment, OperationalFields.HoldUntilUrl, "valueDateTime", InstantText.Utc(until));
        Extensions.Set(appointment, HoldClientUrl, "valueString", client);
    }

    /// <summary>Sets the answer of everybody who has not declined.</summary>
    public static void SetAnswers(JsonObject appointment, string status)
    {
        foreach (var participant in Participants(appointment))
        {
            if (Text(participant, "status") != "declined")
            {
                participant["status"] = status;
            }
        }
    }

    /// <summary>Adds a participant unless the actor takes part already.</summary>
    /// <param name="actor">A Reference.</param>
    public static void AddParticipant(JsonObject appointment, JsonNode actor, string status)
    {
        var reference = Text(actor as JsonObject, "reference");
        foreach (var participant in Participants(appointment))
        {
            if (reference is not null && Text(participant["actor"] as JsonObject, "reference") == reference)
            {
                return;
            }
        }
        if (appointment["participant"] is not JsonArray participants)
        {
            appointment["participant"] = participants = [];
        }
        participants.Add((JsonNode)new JsonObject { ["actor"] = actor.DeepClone(), ["required"] = "required", ["status"] = status });
    }

    public static void SetSlots(JsonObject appointment, IEnumerable<LedgerSlot> slots)
    {
        var references = new JsonArray();
        foreach (var slot in slots)
        {
            references.Add((JsonNode)new JsonObject { ["reference"] = slot.Key.ToString() });
        }
        appointment["slot"] = references;
    }

    /// <summary>IHE wants the range the appointment was asked for in; where nobody said, its own time is the honest answer.</summary>
    public static void FillRequestedPeriod(JsonObject appointment)
    {
        if (!appointment.ContainsKey("requestedPeriod") && Text(appointment, "start") is { } start && Text(appointment, "end") is { } end)
        {
            appointment["requestedPeriod"] = new JsonArray(new JsonObject { ["start"] = start, ["end"] = end });
        }
    }

    public static IEnumerable<JsonObject> Participants(JsonObject appointment)
    {
        if (appointment["participant"] is JsonArray participants)
        {
            foreach (var participant in participants)
            {
                if (participant is JsonObject found)
                {
                    yield return found;
                }
            }
        }
    }

    /// <summary>References of the actors who have not declined.</summary>
    public static IEnumerable<string> BusyActors(JsonObject appointment)
    {
        foreach (var participant in Participants(appointment))
        {
            if (Text(participant, "status") != "declined" && Text(participant["actor"] as JsonObject, "reference") is { } reference)
            {
                yield return reference;
            }
        }
    }

    public static string? Text(JsonObject? parent, string name) =>
        parent is not null && parent[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
