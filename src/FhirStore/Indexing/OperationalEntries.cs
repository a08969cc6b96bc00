using System.Text.Json;
using FhirCore.Records;

namespace FhirStore.Indexing;

/// <summary>Writes the entries of <see cref="OperationalFields"/>.</summary>
internal static class OperationalEntries
{
    /// <summary>Slot.start (8), clear.</summary>
    public static readonly IndexField SlotStart = IndexField.Of("Slot.start:clear");

    /// <summary>Appointment.start (8), clear.</summary>
    public static readonly IndexField AppointmentStart = IndexField.Of("Appointment.date:clear");

    private const int TokenLength = 16;

    /// <summary>One byte for each Appointment.status code; 0 for one R4 does not have.</summary>
    public static byte AppointmentStatusByte(string? status) => status switch
    {
        "proposed" => 1,
        "pending" => 2,
        "booked" => 3,
        "arrived" => 4,
        "fulfilled" => 5,
        "cancelled" => 6,
        "noshow" => 7,
        "entered-in-error" => 8,
        "checked-in" => 9,
        "waitlist" => 10,
        _ => 0,
    };

    public static void AddSlot(JsonElement slot, OperationalFields fields, string? baseUrl, IndexEntries.Builder entries)
    {
        AddTime(slot, "end"u8, OperationalFields.End, entries);
        if (Reference(slot, "schedule"u8) is not { } schedule)
        {
            return;
        }
        Span<byte> value = stackalloc byte[TokenLength + 1 + SortableTime.Length];
        fields.WriteReferenceToken(ReferenceText.Normalize(schedule, baseUrl), value);
        WriteTime(slot, "start"u8, value[TokenLength..]);
        entries.Add(OperationalFields.SlotScheduleStart, value[..(TokenLength + SortableTime.Length)]);
        value[TokenLength] = OperationalFields.SlotStatusByte(JsonText.String(slot, "status"u8));
        WriteTime(slot, "start"u8, value[(TokenLength + 1)..]);
        entries.Add(OperationalFields.SlotScheduleStatusStart, value);
    }

    public static void AddAppointment(JsonElement appointment, OperationalFields fields, string? baseUrl, IndexEntries.Builder entries)
    {
        AddTime(appointment, "end"u8, OperationalFields.End, entries);
        var status = JsonText.String(appointment, "status"u8);
        if (status == "pending")
        {
            AddHold(appointment, entries);
        }
        if (status is not ("pending" or "booked" or "arrived" or "checked-in"))
        {
            return;
        }
        Span<byte> value = stackalloc byte[TokenLength + SortableTime.Length];
        Span<byte> end = stackalloc byte[SortableTime.Length];
        if (appointment.TryGetProperty("participant"u8, out var participants) && participants.ValueKind == JsonValueKind.Array && WriteTime(appointment, "start"u8, value[TokenLength..]))
        {
            var from = SortableTime.Decode(value[TokenLength..]);
            var to = WriteTime(appointment, "end"u8, end) ? SortableTime.Decode(end) : from;
            foreach (var participant in participants.EnumerateArray())
            {
                if (Reference(participant, "actor"u8) is { } actor)
                {
                    fields.WriteReferenceToken(ReferenceText.Normalize(actor, baseUrl), value);
                    AddActorTimes(from, to, value, entries);
                }
            }
        }
        if (appointment.TryGetProperty("slot"u8, out var slots) && slots.ValueKind == JsonValueKind.Array)
        {
            foreach (var slot in slots.EnumerateArray())
            {
                if (ReferenceText.Of(slot, ElementShape.Reference) is { } text)
                {
                    fields.WriteReferenceToken(ReferenceText.Normalize(text, baseUrl), value);
                    entries.Add(OperationalFields.AppointmentSlot, value[..TokenLength]);
                }
            }
        }
    }

    private static void AddActorTimes(DateTimeOffset from, DateTimeOffset to, Span<byte> value, IndexEntries.Builder entries)
    {
        var last = to - from > OperationalFields.LongestActorTime ? from + OperationalFields.LongestActorTime : to;
        var at = from;
        while (true)
        {
            SortableTime.Write(at, value[TokenLength..]);
            entries.Add(OperationalFields.AppointmentActorStart, value);
            if (last - at <= OperationalFields.ActorStep)
            {
                return; // asked before the step is taken: there may be no time after it
            }
            at += OperationalFields.ActorStep;
        }
    }

    private static void AddHold(JsonElement appointment, IndexEntries.Builder entries)
    {
        if (!appointment.TryGetProperty("extension"u8, out var extensions) || extensions.ValueKind != JsonValueKind.Array)
        {
            return;
        }
        foreach (var extension in extensions.EnumerateArray())
        {
            if (JsonText.String(extension, "url"u8) == OperationalFields.HoldUntilUrl)
            {
                AddTime(extension, "valueDateTime"u8, OperationalFields.AppointmentHoldUntil, entries);
                return;
            }
        }
    }

    private static void AddTime(JsonElement element, ReadOnlySpan<byte> name, IndexField field, IndexEntries.Builder entries)
    {
        Span<byte> value = stackalloc byte[SortableTime.Length];
        if (WriteTime(element, name, value))
        {
            entries.Add(field, value);
        }
    }

    private static bool WriteTime(JsonElement element, ReadOnlySpan<byte> name, Span<byte> destination)
    {
        if (element.TryGetProperty(name, out var text) && DateInterval.Of(text, ElementShape.Date) is { } at)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(destination, at.Start);
            return true;
        }
        destination[..SortableTime.Length].Clear();
        return false;
    }

    private static string? Reference(JsonElement element, ReadOnlySpan<byte> name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var reference) ? ReferenceText.Of(reference, ElementShape.Reference) : null;
}
