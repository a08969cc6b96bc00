using FhirCore.Auditing;

namespace Auditing.Entries;

/// <summary>Events of sign-in and authorization as entries of the trail.</summary>
internal static class SecurityEntries
{
    public static AuditEntry Of(SecurityEvent happened, DateTimeOffset now) => new()
    {
        Kind = AuditKind.Security,
        At = now,
        Operation = CodeOf(happened.Kind),
        Status = happened.Succeeded ? 200 : 401,
        Issue = happened.Detail,
        ClientId = happened.ClientId,
        AccountId = happened.AccountId,
        FhirUser = happened.FhirUser,
        Address = happened.Address,
        Id = happened.About,
        Patients = happened.Patient is { } patient ? [patient] : [],
    };

    /// <summary>Stored: a code never changes its meaning.</summary>
    private static string CodeOf(SecurityEventKind kind) => kind switch
    {
        SecurityEventKind.SignIn => "sign-in",
        SecurityEventKind.SignOut => "sign-out",
        SecurityEventKind.Token => "token",
        SecurityEventKind.Revocation => "revocation",
        SecurityEventKind.Consent => "consent",
        SecurityEventKind.AccountChange => "account-change",
        SecurityEventKind.ClientChange => "client-change",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Say here how it is stored."),
    };
}
