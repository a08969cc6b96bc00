using System.Collections.Frozen;
using Authorization.Scopes;

namespace Authorization.Pages;

/// <summary>A scope in plain words.</summary>
internal static class ScopeWords
{
    /// <summary>Types that have a text <c>type.{name}</c>; of the others the name itself is shown.</summary>
    private static readonly FrozenSet<string> Described =
    [
        "AllergyIntolerance", "Appointment", "Basic", "CarePlan", "CareTeam", "Condition", "Consent", "Coverage", "Device", "DiagnosticReport", "DocumentReference", "Encounter",
        "Goal", "Immunization", "Location", "Medication", "MedicationRequest", "Observation", "Organization", "Patient", "Practitioner", "PractitionerRole", "Procedure",
        "Provenance", "RelatedPerson", "Schedule", "ServiceRequest", "Slot",
    ];

    public static string TypeOf(Texts texts, SmartScope scope) =>
        scope.Type == SmartScope.AnyType ? texts["type.any"] : Described.Contains(scope.Type) ? texts[$"type.{scope.Type}"] : scope.Type;

    /// <summary>Which of them: those of one patient, or those the user may see.</summary>
    /// <param name="patient">Null where it is the user's own record.</param>
    public static string WhoseOf(Texts texts, SmartScope scope, string? patient) =>
        scope.Level == ScopeLevel.User ? texts["whose.user"] : patient is null ? texts["whose.own"] : texts.Format("whose.patient", patient);

    public static string LetterOf(Texts texts, Permissions letter) => texts[$"letter.{SmartScope.LettersOf(letter)}"];
}
