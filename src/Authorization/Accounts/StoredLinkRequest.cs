using Authorization.Records;
using FhirCore.Records;

namespace Authorization.Accounts;

/// <summary>What a person has said of themselves, for staff to compare with the Patient. Its id is the account's: there is one at most.</summary>
public sealed class StoredLinkRequest
{
    public const string RecordType = "_LinkRequest";

    public required PatientClaim Claim { get; set; }

    public DateTimeOffset At { get; set; }

    public static void Add(StoredLinkRequest request, IndexEntries.Builder entries)
    {
        // Found by id, or all of them: nothing of it is in the index.
    }
}

/// <param name="System">Null: any system.</param>
/// <param name="Value">Of <c>Patient.identifier</c>, such as a medical record number.</param>
public sealed record PatientClaim(string? System, string Value, string Family, DateOnly BirthDate);
