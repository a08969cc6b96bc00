using Authorization.Access;

namespace Authorization.Launch;

/// <summary>Patients, as a user may see them: the FHIR server's own search, under that user's rights.</summary>
public interface IPatientDirectory
{
    /// <returns>Null where there is none, or the user may not see them.</returns>
    ValueTask<PatientSummary?> FindAsync(Grant grant, string id, CancellationToken ct);

    /// <returns>At most <paramref name="most"/>.</returns>
    ValueTask<IReadOnlyList<PatientSummary>> SearchAsync(Grant grant, PatientQuery query, int most, CancellationToken ct);
}

/// <summary>Enough to know a patient by.</summary>
/// <param name="BirthDate">As FHIR writes it.</param>
public sealed record PatientSummary(string Id, string Name, string? BirthDate, string? Identifier);

/// <summary>What to look by; empty texts do not matter.</summary>
/// <param name="BirthDate">As FHIR writes it: 1970-12-31.</param>
public sealed record PatientQuery(string Name, string Identifier, string BirthDate)
{
    public bool IsEmpty => Name.Length == 0 && Identifier.Length == 0 && BirthDate.Length == 0;
}
