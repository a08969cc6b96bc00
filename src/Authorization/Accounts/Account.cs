using Authorization.Access;
using Authorization.Outside;

namespace Authorization.Accounts;

/// <summary>A person who can sign in, as the sealed record holds it.</summary>
public sealed class Account
{
    /// <summary>What they type to sign in, in lower case; an e-mail address for patients. No two accounts share one.</summary>
    public required string UserName { get; set; }

    /// <summary>Shown to themselves, and to whoever approves them.</summary>
    public string? DisplayName { get; set; }

    public AccountStatus Status { get; set; }

    public string? Email { get; set; }

    public bool EmailVerified { get; set; }

    /// <summary>E.164: +4915112345678.</summary>
    public string? Phone { get; set; }

    public bool PhoneVerified { get; set; }

    /// <summary>As ASP.NET Core Identity's hasher makes it; null where they sign in by passkey or an outside provider only.</summary>
    public string? PasswordHash { get; set; }

    /// <summary><c>Patient/123</c> or <c>Practitioner/456</c>; null until linked.</summary>
    public string? FhirUser { get; set; }

    public List<HeldRole> Roles { get; set; } = [];

    /// <summary>Language of pages and messages: <c>en</c> or <c>ru</c>.</summary>
    public string Language { get; set; } = "en";

    public DateTimeOffset Created { get; set; }

    /// <summary>Secret of one-time codes (RFC 6238), 20 bytes; null where none are asked for.</summary>
    public byte[]? TotpSecret { get; set; }

    /// <summary>Being set up: not asked for until a first code has shown that it works.</summary>
    public byte[]? TotpPending { get; set; }

    /// <summary>The latest step whose code was accepted. Neither it nor an earlier one is accepted again.</summary>
    public long TotpLastStep { get; set; }

    /// <summary>Made from recovery codes by a key; each is removed when it is used.</summary>
    public List<string> RecoveryCodes { get; set; } = [];

    public List<StoredPasskey> Passkeys { get; set; } = [];

    /// <summary>Issuer and subject of the outside OpenID provider they sign in by, separated by a blank.</summary>
    public string? OutsideSubject { get; set; }

    /// <summary>Not null while an administrator has yet to say who they are.</summary>
    public OutsideRequest? OutsideRequest { get; set; }
}

/// <summary>A WebAuthn credential of an account, https://www.w3.org/TR/webauthn-3/.</summary>
/// <param name="Name">As its owner calls it.</param>
/// <param name="SignCount">The authenticator's, at its last use; one that goes back is a copy and is refused.</param>
public sealed record StoredPasskey(
    byte[] Id, byte[] PublicKey, string Name, DateTimeOffset Created, uint SignCount, string[]? Transports, bool UserVerified, bool BackupEligible, bool BackedUp);

public enum AccountStatus
{
    /// <summary>Registered, but a code or an approval is still to come: cannot sign in to apps.</summary>
    Pending,
    Active,
    Disabled,
}
