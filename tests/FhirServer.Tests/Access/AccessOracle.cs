using Authorization.Access;

namespace FhirServer.Tests.Access;

/// <summary>Who asks, as plain data.</summary>
/// <param name="Role">Null for a client of its own.</param>
/// <param name="At">A or B where the role is held at one organization.</param>
internal sealed record Principal(string Scope, Role? Role = null, string? At = null)
{
    public override string ToString() => $"{Scope} as {Role?.ToString() ?? "client"}{(At is null ? "" : "@" + At)}";
}

/// <summary>
/// What is granted, worked out from tables written here and from nothing of the server's. The user is the patient p1 or somebody of the
/// staff; the patient in view is p1.
/// </summary>
internal static class AccessOracle
{
    private const string Everyone = "Practitioner:rs Location:rs Organization:rs Schedule:rs Slot:rs";
    private static readonly string[] Directory = ["Practitioner", "Location", "Organization", "Schedule", "Slot"];

    private static readonly Dictionary<Role, string> Roles = new()
    {
        [Role.Patient] = $"{Everyone} Patient:rs Observation:rs Appointment:crus Encounter:rs RelatedPerson:rs Provenance:rs",
        [Role.Practitioner] = "Practitioner:rs Location:rs Organization:rs Schedule:crus Slot:crus Patient:crus Observation:crus Appointment:crus Encounter:crus RelatedPerson:crus Provenance:rs Task:crus",
        [Role.Receptionist] = "Practitioner:rs Location:rs Organization:rs Schedule:rs Slot:rus Patient:crus RelatedPerson:crus Appointment:crus",
        [Role.Manager] = "Practitioner:crus Location:crus Organization:rs Schedule:cruds Slot:cruds",
        [Role.Auditor] = "AuditEvent:rs Provenance:rs",
        [Role.Administrator] = "Practitioner:crus Location:crus Organization:crus Schedule:rs Slot:rs",
    };

    /// <summary>True where some thing of the type might be granted: what is not is refused as a whole.</summary>
    public static bool May(Principal who, char letter, string type) => Scopes(who).Any(scope =>
        scope.Letters.Contains(letter) && (scope.Type == "*" || scope.Type == type)
        && (who.Role is null ? scope.Level == "system" : scope.Level != "system" && LettersOf(who.Role.Value, type).Contains(letter) && (scope.Level == "user" || IsPatients(type) || Directory.Contains(type))));

    public static bool May(Principal who, char letter, Thing thing) => Scopes(who).Any(scope =>
        scope.Letters.Contains(letter) && (scope.Type == "*" || scope.Type == thing.Type)
        && (scope.Category is null || scope.Category == thing.Category)
        && scope.Level switch
        {
            "system" => who.Role is null,
            "user" => ByRole(who, letter, thing),
            _ => ByRole(who, letter, thing) && (Directory.Contains(thing.Type) || thing.Patients.Contains("p1")),
        });

    /// <summary>Figures are for clients of their own, and for managers and practitioners whose app acts for them and not for a patient.</summary>
    public static bool MayAskForFigures(Principal who) =>
        May(who, 'r', "Schedule") && May(who, 's', "Schedule") && May(who, 's', "Slot") && (who.Role is null || (who.Role is Role.Manager or Role.Practitioner && ForTheUser(who)));

    /// <summary>A manager's are those of the house, a practitioner's their own.</summary>
    public static bool MaySeeFigures(Principal who, Thing thing) =>
        MayAskForFigures(who) && May(who, 'r', thing) && (who.Role is null or Role.Manager || thing.Name == "dr");

    public static bool MaySeeRisk(Principal who, Thing visit) =>
        May(who, 'r', visit) && (who.Role is null || (who.Role is Role.Practitioner or Role.Receptionist && ForTheUser(who)));

    public static bool MaySeeWaitlist(Principal who) =>
        May(who, 'r', "Schedule") && May(who, 's', "Appointment") && (who.Role is null || (who.Role is Role.Practitioner or Role.Receptionist && ForTheUser(who)));

    private static bool ForTheUser(Principal who) => Scopes(who).All(scope => scope.Level == "user");

    /// <summary>What belongs to who made it: everybody but auditors has such things, and their scopes say what they may do with them.</summary>
    public static bool MayOwn(Principal who, char letter, string type) => who.Role != Role.Auditor && Scopes(who).Any(scope =>
        scope.Letters.Contains(letter) && (scope.Type == "*" || scope.Type == type) && scope.Level == "system" == (who.Role is null));

    /// <summary>May a patient be named in what is written, whether or not the app may read them.</summary>
    public static bool MayName(Principal who, Thing patient) =>
        who.Role is null || (ByRole(who, 'r', patient) && (Scopes(who).Any(scope => scope.Level == "user") || patient.Patients.Contains("p1")));

    private static bool ByRole(Principal who, char letter, Thing thing)
    {
        if (who.Role is not { } role || !LettersOf(role, thing.Type).Contains(letter))
        {
            return false;
        }
        var isDirectory = Directory.Contains(thing.Type);
        if (role == Role.Patient && !isDirectory)
        {
            return thing.Patients.Contains("p1");
        }
        var isHidden = role == Role.Practitioner ? thing.Label == "V" : thing.Label is "R" or "V";
        var isElsewhere = who.At is not null && thing.Organization is not null && thing.Organization != who.At && !(isDirectory && letter is 'r' or 's');
        return !isHidden && !isElsewhere;
    }

    private static bool IsPatients(string type) => type is "Patient" or "Observation" or "Appointment" or "Encounter" or "RelatedPerson" or "Provenance" or "AuditEvent";

    private static string LettersOf(Role role, string type) =>
        Roles[role].Split(' ').Select(part => part.Split(':')).Where(part => part[0] == type).Select(part => part[1]).FirstOrDefault("");

    private static IEnumerable<(string Level, string Type, string Letters, string? Category)> Scopes(Principal who)
    {
        foreach (var scope in who.Scope.Split(' '))
        {
            var (head, filter) = scope.Split('?') is [var before, var behind] ? (before, behind) : (scope, null);
            var (level, rest) = (head[..head.IndexOf('/')], head[(head.IndexOf('/') + 1)..]);
            var (type, word) = (rest[..rest.IndexOf('.')], rest[(rest.IndexOf('.') + 1)..]);
            yield return (level, type, word switch { "read" => "rs", "write" => "cud", "*" => "cruds", _ => word }, filter is null ? null : filter.Split(["|", "%7C"], StringSplitOptions.None)[^1]);
        }
    }
}
