using Auditing.Entries;

namespace Auditing.Reading;

internal readonly record struct Coding(string System, string Code, string Display);

/// <summary>Codes of IHE Basic Audit Log Patterns, https://profiles.ihe.net/ITI/BALP/, and of what it builds on.</summary>
internal static class BalpCodes
{
    public const string Dicom = "http://dicom.nema.org/resources/ontology/DCM";
    public const string Own = "https://fhir-server.invalid/audit-event-subtype";

    private const string Profiles = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
    private const string Interactions = "http://hl7.org/fhir/restful-interaction";
    private const string Participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

    public static readonly Coding Rest = new("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation");
    public static readonly Coding UserAuthentication = new(Dicom, "110114", "User Authentication");
    public static readonly Coding SecurityAlert = new(Dicom, "110113", "Security Alert");
    public static readonly Coding ApplicationActivity = new(Dicom, "110100", "Application Activity");
    public static readonly Coding Application = new(Dicom, "110150", "Application");
    public static readonly Coding Person = new("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person");
    public static readonly Coding SystemObject = new("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object");
    public static readonly Coding Patient = new("http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient");
    public static readonly Coding DomainResource = new("http://terminology.hl7.org/CodeSystem/object-role", "4", "Domain Resource");
    public static readonly Coding Query = new("http://terminology.hl7.org/CodeSystem/object-role", "24", "Query");
    public static readonly Coding RequestId = new("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id");
    public static readonly Coding BreakTheGlass = new("http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG", "break the glass");
    public static readonly Coding ApplicationServer = new("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");

    private static readonly Coding Source = new(Dicom, "110153", "Source Role ID");
    private static readonly Coding Destination = new(Dicom, "110152", "Destination Role ID");
    private static readonly Coding Custodian = new("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian");
    private static readonly Coding Recipient = new(Participation, "IRCP", "information recipient");
    private static readonly Coding Author = new(Participation, "AUT", "author (originator)");

    /// <summary>Those of what was done are claimed by successes only, as the profiles want it.</summary>
    /// <returns>Null where no profile speaks of the interaction.</returns>
    public static string? ProfileOf(AuditEntry entry)
    {
        if (entry.IsFailure || entry.Kind != AuditKind.Access)
        {
            return null;
        }
        var patient = entry.Patients.Count == 1 ? "Patient" : "";
        return entry.Interaction switch
        {
            AuditInteraction.Create when entry.Id is not null => $"{Profiles}{patient}Create",
            AuditInteraction.Read or AuditInteraction.VRead => $"{Profiles}{patient}Read",
            AuditInteraction.Update or AuditInteraction.Patch when entry.Id is not null => $"{Profiles}{patient}Update",
            AuditInteraction.Delete when entry.Id is not null => $"{Profiles}{patient}Delete",
            AuditInteraction.Search => $"{Profiles}{patient}Query",
            _ => null,
        };
    }

    /// <summary>https://hl7.org/fhir/R4/valueset-audit-event-action.html</summary>
    public static string ActionOf(AuditEntry entry) => entry.Kind != AuditKind.Access ? "E" : entry.Interaction switch
    {
        AuditInteraction.Create => "C",
        AuditInteraction.Read or AuditInteraction.VRead or AuditInteraction.HistoryInstance or AuditInteraction.HistoryType or AuditInteraction.HistorySystem => "R",
        AuditInteraction.Update or AuditInteraction.Patch => "U",
        AuditInteraction.Delete => "D",
        _ => "E",
    };

    /// <summary>0 done; 4 not done, for a reason of the request's; 8 refused for who asked, or failed.</summary>
    public static string OutcomeOf(AuditEntry entry) => entry.Status switch
    {
        < 400 => "0",
        401 or 403 or >= 500 => "8",
        _ => "4",
    };

    public static Coding TypeOf(AuditEntry entry) => entry.Kind switch
    {
        AuditKind.Access => Rest,
        AuditKind.Security when entry.Operation is "sign-in" or "sign-out" or "token" => UserAuthentication,
        AuditKind.Security => SecurityAlert,
        _ => ApplicationActivity,
    };

    public static Coding[] SubtypesOf(AuditEntry entry) => entry.Kind switch
    {
        AuditKind.Access => SubtypesOf(entry.Interaction),
        AuditKind.Security => [SecuritySubtype(entry.Operation)],
        _ => entry.Operation == "start" ? [new(Dicom, "110120", "Application Start")] : [new(Own, entry.Operation ?? "link", "Heads of other audit chains")],
    };

    /// <summary>Data flows from the source to the destination; a query is data too.</summary>
    public static (Coding Client, Coding Server, Coding User) AgentsOf(AuditEntry entry) => entry.Interaction switch
    {
        _ when entry.Kind != AuditKind.Access => (Application, Destination, Recipient),
        AuditInteraction.Read or AuditInteraction.VRead or AuditInteraction.HistoryInstance or AuditInteraction.HistoryType or AuditInteraction.HistorySystem => (Destination, Source, Recipient),
        AuditInteraction.Create or AuditInteraction.Update or AuditInteraction.Patch => (Source, Destination, Author),
        AuditInteraction.Delete => (Application, Custodian, Author),
        _ => (Source, Destination, Recipient),
    };

    private static Coding[] SubtypesOf(AuditInteraction interaction) => interaction switch
    {
        AuditInteraction.Read => [Rested("read")],
        AuditInteraction.VRead => [Rested("vread")],
        AuditInteraction.Update => [Rested("update")],
        AuditInteraction.Patch => [Rested("patch")],
        AuditInteraction.Delete => [Rested("delete")],
        AuditInteraction.HistoryInstance => [Rested("history-instance")],
        AuditInteraction.HistoryType => [Rested("history-type")],
        AuditInteraction.HistorySystem => [Rested("history-system")],
        AuditInteraction.Create => [Rested("create")],
        AuditInteraction.Search => [Rested("search"), Rested("search-type")],
        AuditInteraction.Batch => [Rested("batch")],
        AuditInteraction.Transaction => [Rested("transaction")],
        AuditInteraction.Operation => [Rested("operation")],
        _ => [],
    };

    private static Coding Rested(string code) => new(Interactions, code, code);

    private static Coding SecuritySubtype(string? code) => code switch
    {
        "sign-in" => new(Dicom, "110122", "Login"),
        "sign-out" => new(Dicom, "110123", "Logout"),
        "token" => new("urn:ihe:event-type-code", "ITI-71", "Get Access Token"),
        "account-change" => new(Dicom, "110137", "User Security Attributes Changed"),
        var other => new(Own, other ?? "other", other ?? "other"),
    };
}
