using FhirCore;

namespace SchedulingOperations;

/// <summary>Refusals of this room that several places make. Details are the codes that programs act on.</summary>
internal static class Refusals
{
    public const string SlotUnavailable = "slot-unavailable";

    /// <param name="what">The slot, or the actor and the rule; never another patient.</param>
    public static FhirFailure Taken(string what, string expression = "Appointment.slot") =>
        FhirFailure.Of(FailureKind.Conflict, what, expression, detail: SlotUnavailable);

    public static FhirFailure Rule(string diagnostics, string? expression = null, string? detail = null) =>
        FhirFailure.Of(FailureKind.Unprocessable, diagnostics, expression, detail: detail);

    /// <summary>A reference in the request that leads nowhere: the request is at fault, not its URL.</summary>
    public static FhirFailure Unknown(string reference, string? expression) =>
        FhirFailure.Of(FailureKind.Unprocessable, $"{reference} does not exist on this server.", expression, code: "not-found", detail: "reference-not-found");

    public static FhirFailure Malformed(string diagnostics, string? expression = null, string? code = null) =>
        FhirFailure.Of(FailureKind.Invalid, diagnostics, expression, code);

    public static FhirFailure Stale(long wanted, long found) => FhirFailure.Of(
        FailureKind.Stale, $"If-Match names version {wanted}; the Appointment stands at version {found}. Read it again and repeat the call on what you find.", "Appointment.meta.versionId");

    public static FhirFailure Transition(Rules.AppointmentStatus from, Rules.AppointmentStatus to) =>
        Rule($"An appointment that is {Rules.AppointmentStates.Code(from)} cannot become {Rules.AppointmentStates.Code(to)}.", "Appointment.status", "status-transition");
}
