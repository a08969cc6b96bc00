using System.Security.Cryptography;
using System.Text;
using FhirCore;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Whose hold it is: a digest of the client's id stands in the appointment.</summary>
internal static class HoldOwner
{
    public static string Of(SchedulingCall call) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("appointment-hold:" + call.ClientId)).AsSpan(0, 16));

    /// <returns>Null where the appointment is no hold, or this client's.</returns>
    public static FhirFailure? Check(in AppointmentView appointment, SchedulingCall call) =>
        appointment.HoldUntil is not null && !IsOf(appointment, Of(call))
            ? FhirFailure.Of(FailureKind.Conflict, "The time is held by another client.", "Appointment.status", detail: "held-by-another")
            : null;

    public static bool IsOf(in AppointmentView appointment, string owner) =>
        Extensions.Find(appointment.Root, AppointmentEdits.HoldClientUrl) is { } extension && extension.TryGetProperty("valueString"u8, out var value) && value.ValueEquals(owner);
}
