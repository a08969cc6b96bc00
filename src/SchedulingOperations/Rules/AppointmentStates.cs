using System.Text.Json;

namespace SchedulingOperations.Rules;

/// <summary>Appointment.status, https://hl7.org/fhir/R4/valueset-appointmentstatus.html.</summary>
public enum AppointmentStatus
{
    /// <summary>Missing, or a code that R4 does not have.</summary>
    Unknown,
    Proposed,
    Pending,
    Booked,
    Arrived,
    CheckedIn,
    Fulfilled,
    Cancelled,
    NoShow,
    Waitlist,
    EnteredInError,
}

/// <summary>The one state machine of appointments. Whatever is not listed here is refused, by whatever route it is asked for.</summary>
public static class AppointmentStates
{
    public static AppointmentStatus Read(JsonElement appointment)
    {
        if (!appointment.TryGetProperty("status"u8, out var status) || status.ValueKind != JsonValueKind.String)
        {
            return AppointmentStatus.Unknown;
        }
        return status.ValueEquals("proposed"u8) ? AppointmentStatus.Proposed
            : status.ValueEquals("pending"u8) ? AppointmentStatus.Pending
            : status.ValueEquals("booked"u8) ? AppointmentStatus.Booked
            : status.ValueEquals("arrived"u8) ? AppointmentStatus.Arrived
            : status.ValueEquals("checked-in"u8) ? AppointmentStatus.CheckedIn
            : status.ValueEquals("fulfilled"u8) ? AppointmentStatus.Fulfilled
            : status.ValueEquals("cancelled"u8) ? AppointmentStatus.Cancelled
            : status.ValueEquals("noshow"u8) ? AppointmentStatus.NoShow
            : status.ValueEquals("waitlist"u8) ? AppointmentStatus.Waitlist
            : status.ValueEquals("entered-in-error"u8) ? AppointmentStatus.EnteredInError
            : AppointmentStatus.Unknown;
    }

    public static string Code(this AppointmentStatus status) => status switch
    {
        AppointmentStatus.Proposed => "proposed",
        AppointmentStatus.Pending => "pending",
        AppointmentStatus.Booked => "booked",
        AppointmentStatus.Arrived => "arrived",
        AppointmentStatus.CheckedIn => "checked-in",
        AppointmentStatus.Fulfilled => "fulfilled",
        AppointmentStatus.Cancelled => "cancelled",
        AppointmentStatus.NoShow => "noshow",
        AppointmentStatus.Waitlist => "waitlist",
        AppointmentStatus.EnteredInError => "entered-in-error",
        _ => "unknown",
    };

    /// <summary>Its slots are taken and its actors are busy: pending, booked, arrived, checked-in.</summary>
    public static bool HoldsTime(this AppointmentStatus status) =>
        status is AppointmentStatus.Pending or AppointmentStatus.Booked or AppointmentStatus.Arrived or AppointmentStatus.CheckedIn;

    /// <summary>The visit is over or will not be; only <c>entered-in-error</c> may follow.</summary>
    public static bool IsTerminal(this AppointmentStatus status) =>
        status is AppointmentStatus.Fulfilled or AppointmentStatus.Cancelled or AppointmentStatus.NoShow or AppointmentStatus.EnteredInError;

    /// <summary>Staying in a state is always allowed: that is an edit, not a transition.</summary>
    public static bool MayBecome(this AppointmentStatus from, AppointmentStatus to) => from == to || to == AppointmentStatus.EnteredInError || (from, to) switch
    {
        (AppointmentStatus.Proposed, AppointmentStatus.Pending or AppointmentStatus.Booked or AppointmentStatus.Cancelled) => true,
        (AppointmentStatus.Pending, AppointmentStatus.Booked or AppointmentStatus.Cancelled) => true,
        (AppointmentStatus.Booked, AppointmentStatus.Arrived or AppointmentStatus.CheckedIn or AppointmentStatus.NoShow or AppointmentStatus.Cancelled) => true,
        (AppointmentStatus.Arrived, AppointmentStatus.CheckedIn or AppointmentStatus.Fulfilled or AppointmentStatus.Cancelled) => true,
        (AppointmentStatus.CheckedIn, AppointmentStatus.Fulfilled or AppointmentStatus.Cancelled) => true,
        (AppointmentStatus.Waitlist, AppointmentStatus.Proposed or AppointmentStatus.Booked or AppointmentStatus.Cancelled) => true,
        _ => false,
    };
}
