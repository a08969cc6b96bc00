using FhirCore;
using SchedulingOperations.Views;

namespace SchedulingOperations.Rules;

/// <summary>R4's invariants of Appointment, https://hl7.org/fhir/R4/appointment-definitions.html, and that time runs forward.</summary>
public static class AppointmentInvariants
{
    /// <returns>Null where all hold.</returns>
    public static FhirFailure? Check(in AppointmentView appointment)
    {
        var status = appointment.Status;
        if (appointment.HasStart != appointment.HasEnd)
        {
            return Broken("app-2: start and end stand together or not at all.", appointment.HasStart ? "Appointment.end" : "Appointment.start");
        }
        if (!appointment.HasStart && status is not (AppointmentStatus.Proposed or AppointmentStatus.Cancelled or AppointmentStatus.Waitlist))
        {
            return Broken("app-3: only an appointment that is proposed, cancelled or on the waitlist may be without start and end.", "Appointment.start");
        }
        // The invariant's expression says no-show, which is no code of the value set: noshow is what it means.
        if (appointment.Root.TryGetProperty("cancelationReason"u8, out _) && status is not (AppointmentStatus.Cancelled or AppointmentStatus.NoShow))
        {
            return Broken("app-4: cancelationReason is for appointments that are cancelled or noshow.", "Appointment.cancelationReason");
        }
        if (appointment.HasStart && !appointment.TryGetSpan(out _))
        {
            return Refusals.Rule("The end must be after the start.", "Appointment.end", "end-not-after-start");
        }
        foreach (var participant in appointment.Participants)
        {
            if (!participant.TryGetProperty("type"u8, out _) && !participant.TryGetProperty("actor"u8, out _))
            {
                return Broken("app-1: a participant has a type or an actor.", "Appointment.participant");
            }
        }
        return null;
    }

    private static FhirFailure Broken(string diagnostics, string expression) =>
        FhirFailure.Of(FailureKind.Unprocessable, diagnostics, expression, code: "invariant");
}
