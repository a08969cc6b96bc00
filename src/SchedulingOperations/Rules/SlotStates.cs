using System.Text.Json;

namespace SchedulingOperations.Rules;

/// <summary>Slot.status, https://hl7.org/fhir/R4/valueset-slotstatus.html.</summary>
public enum SlotStatus
{
    /// <summary>Missing, or a code that R4 does not have.</summary>
    Unknown,
    Free,
    Busy,
    BusyTentative,
    BusyUnavailable,
    EnteredInError,
}

/// <summary>The states of slots, as far as they follow from the appointments that hold them.</summary>
public static class SlotStates
{
    public static SlotStatus Read(JsonElement slot)
    {
        if (!slot.TryGetProperty("status"u8, out var status) || status.ValueKind != JsonValueKind.String)
        {
            return SlotStatus.Unknown;
        }
        return status.ValueEquals("free"u8) ? SlotStatus.Free
            : status.ValueEquals("busy"u8) ? SlotStatus.Busy
            : status.ValueEquals("busy-tentative"u8) ? SlotStatus.BusyTentative
            : status.ValueEquals("busy-unavailable"u8) ? SlotStatus.BusyUnavailable
            : status.ValueEquals("entered-in-error"u8) ? SlotStatus.EnteredInError
            : SlotStatus.Unknown;
    }

    public static string Code(this SlotStatus status) => status switch
    {
        SlotStatus.Free => "free",
        SlotStatus.Busy => "busy",
        SlotStatus.BusyTentative => "busy-tentative",
        SlotStatus.BusyUnavailable => "busy-unavailable",
        SlotStatus.EnteredInError => "entered-in-error",
        _ => "unknown",
    };

    /// <summary>What a slot becomes that such an appointment takes.</summary>
    public static SlotStatus TakenBy(AppointmentStatus status) =>
        status == AppointmentStatus.Pending ? SlotStatus.BusyTentative : SlotStatus.Busy;

    /// <summary>Taken by an appointment, so that the appointment's end gives it back. A clinic's own <c>busy-unavailable</c> stays.</summary>
    public static bool IsGivenBack(this SlotStatus status) => status is SlotStatus.Busy or SlotStatus.BusyTentative;

    /// <summary>What a slot may be set to by hand while an appointment holds it.</summary>
    public static bool MayStandWhileHeld(this SlotStatus status) => status is SlotStatus.Busy or SlotStatus.BusyTentative or SlotStatus.BusyUnavailable;

    /// <summary>A slot entered in error does not come back: its id may stand in somebody's calendar as one to forget.</summary>
    public static bool MayBecome(this SlotStatus from, SlotStatus to) => from == to || from != SlotStatus.EnteredInError;
}
