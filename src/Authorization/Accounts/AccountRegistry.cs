using Authorization.Access;
using Authorization.Outside;
using FhirCore;
using FhirCore.Records;
using FhirStore.Sealed;

namespace Authorization.Accounts;

/// <summary>An account to be made.</summary>
public sealed record NewAccount(string UserName)
{
    /// <summary>In clear; null where they sign in otherwise.</summary>
    public string? Password { get; init; }

    /// <summary>In place of <see cref="Password"/> where it has been hashed already.</summary>
    public string? PasswordHash { get; init; }

    public string? DisplayName { get; init; }

    /// <summary>Verified.</summary>
    public string? Email { get; init; }

    /// <summary>Verified; E.164.</summary>
    public string? Phone { get; init; }

    /// <summary>Such as <c>Patient/123</c>.</summary>
    public string? FhirUser { get; init; }

    public IReadOnlyList<HeldRole> Roles { get; init; } = [];

    public string Language { get; init; } = "en";

    public AccountStatus Status { get; init; } = AccountStatus.Active;

    /// <summary>Who the outside OpenID provider says they are.</summary>
    public string? OutsideSubject { get; init; }

    /// <summary>Where an administrator has to say who they are.</summary>
    public OutsideRequest? OutsideRequest { get; init; }
}

/// <summary>Makes accounts.</summary>
public sealed class AccountRegistry(SealedRecords<Account> accounts, AccountIndex index, Passwords passwords, TimeProvider clock)
{
    /// <returns>The account's id; a failure where the name is taken or no name, or the password breaks the rules.</returns>
    public async Task<Outcome<string>> CreateAsync(NewAccount wanted, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (UserNames.Normalise(wanted.UserName) is not { } userName)
        {
            return FhirFailure.Of(FailureKind.Invalid, "A user name is 3 to 100 letters, digits and . _ - + @.", detail: "user-name");
        }
        if (wanted.Password is { } password && PasswordRules.Check(password, userName) is { } fault)
        {
            return FhirFailure.Of(FailureKind.Invalid, $"The password breaks the rules: {fault}.", detail: "password");
        }
        var account = new Account
        {
            UserName = userName,
            DisplayName = wanted.DisplayName,
            Status = wanted.Status,
            Email = wanted.Email,
            EmailVerified = wanted.Email is not null,
            Phone = wanted.Phone,
            PhoneVerified = wanted.Phone is not null,
            PasswordHash = wanted.PasswordHash ?? (wanted.Password is null ? null : passwords.Hash(wanted.Password)),
            FhirUser = wanted.FhirUser,
            Roles = [.. wanted.Roles],
            Language = wanted.Language,
            Created = clock.GetUtcNow(),
            OutsideSubject = wanted.OutsideSubject,
            OutsideRequest = wanted.OutsideRequest,
        };
        var id = FhirIds.New(clock);
        Predicate same = wanted.OutsideSubject is { } subject ? new Predicate.AnyOf([index.UserName(userName), index.OutsideSubject(subject)]) : index.UserName(userName);
        return await accounts.TryWriteAsync(id, account, 0, same, ct)
            ? id
            : FhirFailure.Of(FailureKind.Conflict, "Another account has this user name.", detail: "user-name-taken");
    }
}
