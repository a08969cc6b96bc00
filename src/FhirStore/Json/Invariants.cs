using System.Runtime.InteropServices;
using System.Text.Json;
using FhirStore.Model;

namespace FhirStore.Json;

/// <summary>The few of R4's invariants that cost next to nothing and that wrong clients break; the rest is a validator's work.</summary>
internal static class Invariants
{
    /// <param name="seen">Bits of the elements that the object has.</param>
    public static void Check(IssueLog log, TypeModel type, JsonElement value, ulong seen)
    {
        if (!type.IsResource && !type.IsPrimitive && (seen & (seen - 1)) == 0 && Has(type, "id"u8, seen))
        {
            log.Add("invariant", "ele-1: an element has more than an id.");
        }
        switch (type.Rule)
        {
            case InvariantRule.Extension when Has(type, "extension"u8, seen) == Has(type, "valueString"u8, seen):
                log.Add("invariant", "ext-1: an extension has either extensions or a value, not both and not neither.");
                break;
            case InvariantRule.Period when Has(type, "start"u8, seen) && Has(type, "end"u8, seen):
                Period(log, value);
                break;
            case InvariantRule.Appointment:
                Appointment(log, type, value, seen);
                break;
            case InvariantRule.AppointmentParticipant when !Has(type, "type"u8, seen) && !Has(type, "actor"u8, seen):
                log.Add("invariant", "app-1: a participant has a type or an actor.");
                break;
        }
    }

    private static void Appointment(IssueLog log, TypeModel type, JsonElement value, ulong seen)
    {
        var start = Has(type, "start"u8, seen);
        var end = Has(type, "end"u8, seen);
        if (start != end)
        {
            log.Add("invariant", "app-2: an appointment has both start and end, or neither.");
        }
        var status = Text(value, "status"u8);
        if (!(start && end) && !status.IsEmpty &&
            !status.SequenceEqual("proposed"u8) && !status.SequenceEqual("cancelled"u8) && !status.SequenceEqual("waitlist"u8))
        {
            log.Add("invariant", "app-3: only a proposed, cancelled or waitlist appointment may be without start and end.");
        }
        if (Has(type, "cancelationReason"u8, seen) && !status.SequenceEqual("cancelled"u8) && !status.SequenceEqual("noshow"u8))
        {
            log.Add("invariant", "app-4: only a cancelled or noshow appointment has a cancelationReason.");
        }
    }

    private static void Period(IssueLog log, JsonElement value)
    {
        var start = Text(value, "start"u8);
        var end = Text(value, "end"u8);
        if (CalendarFormats.IsDateTime(start) && CalendarFormats.IsDateTime(end) && CalendarFormats.IsCertainlyAfter(start, end))
        {
            log.Add("invariant", "per-1: a period's start is not after its end.");
        }
    }

    private static bool Has(TypeModel type, ReadOnlySpan<byte> name, ulong seen) => (seen & (1UL << type.Element(name)!.Slot)) != 0;

    private static ReadOnlySpan<byte> Text(JsonElement value, ReadOnlySpan<byte> name) =>
        value.TryGetProperty(name, out var found) && found.ValueKind == JsonValueKind.String ? JsonMarshal.GetRawUtf8Value(found)[1..^1] : [];
}
