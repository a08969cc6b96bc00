using System.Collections.Frozen;
using Authorization.Scopes;
using FhirStore.Access;
using FhirStore.Model;

namespace Authorization.Access;

/// <summary>What each role may do with each type, before compartment, organization, labels and consents narrow it. The only table of roles.</summary>
internal static class RoleRights
{
    private const Permissions See = Permissions.Read | Permissions.Search;
    private const Permissions Keep = See | Permissions.Create | Permissions.Update;

    /// <summary>Who works here, where and when, and what definitions say: nobody's health.</summary>
    private static readonly FrozenSet<string> DirectoryTypes = FrozenSet.Create(StringComparer.Ordinal,
        "Practitioner", "PractitionerRole", "Location", "Organization", "HealthcareService", "Schedule", "Slot", "Endpoint", "OrganizationAffiliation",
        "Medication", "Substance", "Questionnaire", "ValueSet", "CodeSystem", "ConceptMap", "NamingSystem", "StructureDefinition", "StructureMap", "SearchParameter",
        "OperationDefinition", "CapabilityStatement", "TerminologyCapabilities", "CompartmentDefinition", "ImplementationGuide", "GraphDefinition");

    /// <summary>In a patient's compartment by R4, but not the patient's to look into: they tell of others, or of who looked at what.</summary>
    private static readonly FrozenSet<string> NotForPatients = FrozenSet.Create(StringComparer.Ordinal, "AuditEvent", "Basic", "Group", "Person", "Schedule");

    /// <summary>Belongs to who made it, with whatever app they made it: neither the house's nor a patient's.</summary>
    public static bool IsOwn(string type) => type == "Subscription";

    private static readonly FrozenDictionary<Role, FrozenDictionary<string, Permissions>> Table = Enum.GetValues<Role>().ToFrozenDictionary(role => role, Make);

    public static bool IsDirectory(string type) => DirectoryTypes.Contains(type);

    public static Permissions Of(Role role, string type) => Table.TryGetValue(role, out var rights) ? rights.GetValueOrDefault(type) : Permissions.None;

    private static FrozenDictionary<string, Permissions> Make(Role role)
    {
        var rights = new Dictionary<string, Permissions>(StringComparer.Ordinal);
        if (role != Role.Auditor)
        {
            Give(See, DirectoryTypes);
            Give(Permissions.All, ["Subscription"]); // what is told is within the rights of who is told
        }
        switch (role)
        {
            case Role.Patient:
                Give(See, CompartmentTypes().Where(type => !NotForPatients.Contains(type)));
                Give(Keep, ["Appointment", "AppointmentResponse", "Consent", "QuestionnaireResponse"]);
                break;
            case Role.Practitioner:
                Give(Keep, CompartmentTypes().Where(type => type is not ("AuditEvent" or "Provenance")));
                Give(Keep, ["Slot", "Task"]);
                Give(See, ["Provenance"]);
                break;
            case Role.Receptionist:
                Give(Keep, ["Patient", "RelatedPerson", "Coverage", "Appointment", "AppointmentResponse"]);
                Give(See | Permissions.Update, ["Slot"]);
                break;
            case Role.Manager:
                Give(Permissions.All, ["Schedule", "Slot"]);
                Give(Keep, ["Practitioner", "PractitionerRole", "Location", "HealthcareService"]);
                break;
            case Role.Auditor:
                Give(See, ["AuditEvent", "Provenance"]);
                break;
            case Role.Administrator:
                Give(Keep, DirectoryTypes.Where(type => type is not ("Schedule" or "Slot")));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(role), role, "Say here what the new role may do.");
        }
        return rights.ToFrozenDictionary(StringComparer.Ordinal);

        void Give(Permissions permissions, IEnumerable<string> types)
        {
            foreach (var type in types)
            {
                rights[type] = rights.GetValueOrDefault(type) | permissions;
            }
        }
    }

    private static IEnumerable<string> CompartmentTypes() => R4Model.ResourceTypes.Where(RestrictionCompiler.IsInCompartment);
}
