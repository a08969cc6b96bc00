using System.Text.Json;
using System.Text.Json.Nodes;

namespace SchedulingOperations.Booking;

/// <summary>Lays a change over a stored appointment: what was sent counts, what was not sent stays.</summary>
internal static class AppointmentMerge
{
    public static void Apply(JsonObject stored, JsonElement change)
    {
        foreach (var property in change.EnumerateObject())
        {
            if (property.Name is "resourceType" or "id" or "meta" or "status" or "participant" or "extension" or "text" or "cancelationReason")
            {
                continue;
            }
            stored[property.Name] = JsonNode.Parse(property.Value.GetRawText());
        }
        if (change.TryGetProperty("participant"u8, out var participants) && participants.ValueKind == JsonValueKind.Array)
        {
            stored["participant"] = Participants(stored, participants);
        }
    }

    /// <summary>Everybody who was sent; those who took part before keep the answer they gave.</summary>
    private static JsonArray Participants(JsonObject stored, JsonElement sent)
    {
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var participant in AppointmentEdits.Participants(stored))
        {
            if (AppointmentEdits.Text(participant["actor"] as JsonObject, "reference") is { } actor && AppointmentEdits.Text(participant, "status") is { } answer)
            {
                answers[actor] = answer;
            }
        }
        var merged = new JsonArray();
        foreach (var item in sent.EnumerateArray())
        {
            var participant = JsonObject.Create(item.Clone())!;
            if (AppointmentEdits.Text(participant["actor"] as JsonObject, "reference") is { } actor && answers.TryGetValue(actor, out var answer))
            {
                participant["status"] = answer;
            }
            merged.Add((JsonNode)participant);
        }
        return merged;
    }
}
