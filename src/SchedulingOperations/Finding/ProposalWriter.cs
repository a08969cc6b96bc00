using System.Text.Json;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Finding;

/// <summary>Writes an offer as an Appointment in status <c>proposed</c>.</summary>
internal static class ProposalWriter
{
    public static void Write(Utf8JsonWriter writer, string id, Offer offer, FindRequest request)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Appointment"u8);
        writer.WriteString("id"u8, id);
        writer.WriteString("status"u8, "proposed"u8);
        WriteConcepts(writer, "serviceType"u8, offer, request.Services);
        WriteConcepts(writer, "specialty"u8, offer, request.Specialties);
        if (offer.Time.Slot.TryGetProperty("appointmentType"u8, out var appointmentType))
        {
            writer.WritePropertyName("appointmentType"u8);
            appointmentType.WriteTo(writer);
        }
        var slot = new SlotView(offer.Time.Slot);
        writer.WriteString("start"u8, offer.Time.IsWhole ? slot.StartText : InstantText.Utc(offer.Time.Span.Start));
        writer.WriteString("end"u8, offer.Time.IsWhole ? slot.EndText : InstantText.Utc(offer.Time.Span.End));
        writer.WriteStartArray("slot"u8);
        WriteReference(writer, $"Slot/{offer.Time.SlotId}");
        foreach (var second in offer.SecondSlots)
        {
            WriteReference(writer, $"Slot/{second}");
        }
        writer.WriteEndArray();
        WriteParticipants(writer, offer, request);
        writer.WriteStartArray("requestedPeriod"u8);
        writer.WriteStartObject();
        writer.WriteString("start"u8, InstantText.Utc(request.Window.Start));
        writer.WriteString("end"u8, InstantText.Utc(request.Window.End));
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteParticipants(Utf8JsonWriter writer, Offer offer, FindRequest request)
    {
        var written = new HashSet<string>(StringComparer.Ordinal);
        writer.WriteStartArray("participant"u8);
        foreach (var schedule in offer.Second is { } second ? [offer.First.Schedule, second.Schedule] : (ReadOnlySpan<JsonElement>)[offer.First.Schedule])
        {
            foreach (var actor in new ScheduleView(schedule).Actors)
            {
                if (References.Text(actor) is not { } reference || written.Add(reference))
                {
                    writer.WriteStartObject();
                    writer.WritePropertyName("actor"u8);
                    actor.WriteTo(writer);
                    WriteNeeded(writer);
                }
            }
        }
        foreach (var patient in request.Patients)
        {
            if (written.Add(patient))
            {
                writer.WriteStartObject();
                writer.WritePropertyName("actor"u8);
                WriteReference(writer, patient);
                WriteNeeded(writer);
            }
        }
        writer.WriteEndArray();
    }

    private static void WriteNeeded(Utf8JsonWriter writer)
    {
        writer.WriteString("required"u8, "required"u8);
        writer.WriteString("status"u8, "needs-action"u8);
        writer.WriteEndObject();
    }

    /// <summary>What was asked for where it was asked for, else what the slot or its schedule is for.</summary>
    private static void WriteConcepts(Utf8JsonWriter writer, ReadOnlySpan<byte> name, Offer offer, List<(string? System, string Code)> asked)
    {
        var source = ServiceMatch.IsCoded(offer.Time.Slot, name) ? offer.Time.Slot : offer.First.Schedule;
        if (!source.TryGetProperty(name, out var concepts) || concepts.ValueKind != JsonValueKind.Array)
        {
            return;
        }
        var isOpen = false;
        foreach (var concept in concepts.EnumerateArray())
        {
            if (asked.Count == 0 || ServiceMatch.IsAny(concept, asked))
            {
                if (!isOpen)
                {
                    writer.WriteStartArray(name);
                    isOpen = true;
                }
                concept.WriteTo(writer);
            }
        }
        if (isOpen)
        {
            writer.WriteEndArray();
        }
    }

    private static void WriteReference(Utf8JsonWriter writer, string reference)
    {
        writer.WriteStartObject();
        writer.WriteString("reference"u8, reference);
        writer.WriteEndObject();
    }
}
