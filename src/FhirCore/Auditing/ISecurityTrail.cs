using System.Net;

namespace FhirCore.Auditing;

/// <summary>What happens around sign-in that an auditor asks for.</summary>
public enum SecurityEventKind
{
    SignIn,
    SignOut,
    /// <summary>An access token was asked for: https://profiles.ihe.net/ITI/IUA/index.html, ITI-71.</summary>
    Token,
    /// <summary>An access, a refresh token or an authorization was taken back.</summary>
    Revocation,
    /// <summary>A person said what an app may do.</summary>
    Consent,
    /// <summary>A password, second factor, role or link of an account was changed.</summary>
    AccountChange,
    /// <summary>An app was registered, approved, changed or removed.</summary>
    ClientChange,
}

/// <param name="Succeeded">False for a refusal: wrong password, locked account, unknown client.</param>
/// <param name="ClientId">The app, where one takes part and is known.</param>
/// <param name="AccountId">Who did it, where known.</param>
/// <param name="FhirUser">The Patient or Practitioner behind the account.</param>
/// <param name="Detail">A short code of our own, such as <c>password</c> or <c>locked-out</c>. Never what was typed.</param>
/// <param name="Patient">Id of the Patient of the launch context, where there is one.</param>
/// <param name="About">Whose account, or which app, where it is not who did it.</param>
public sealed record SecurityEvent(
    SecurityEventKind Kind, bool Succeeded, string? ClientId = null, string? AccountId = null, ResourceKey? FhirUser = null, IPAddress? Address = null,
    string? Detail = null, string? Patient = null, string? About = null);

/// <summary>Takes the events of rooms that know who signs in and nothing of the audit trail.</summary>
public interface ISecurityTrail
{
    /// <summary>Returns when the event is stored, so that a sign-in is not answered before it is on record.</summary>
    /// <returns>False where it could not be stored in time: the caller refuses with 503.</returns>
    ValueTask<bool> RecordAsync(SecurityEvent happened, CancellationToken ct);
}

/// <summary>
/// What was done could not be put on record in time. It may stand; whoever asked for it gets nothing of it: neither token nor session.
/// </summary>
public sealed class NotOnRecordException() : Exception("The event could not be stored in time.");
