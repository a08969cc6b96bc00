using System.Text.RegularExpressions;
using Authorization.Access;
using Authorization.Server;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>A place for a member of staff that waits for its holder. Found by the secret of its link, from which its id is made by a key.</summary>
public sealed class StoredInvitation
{
    public Role Role { get; set; }

    /// <summary>Id of an Organization; null for the whole server.</summary>
    public string? Organization { get; set; }

    /// <summary>Such as <c>Practitioner/456</c>.</summary>
    public string? FhirUser { get; set; }

    public string? Email { get; set; }

    /// <summary>Account of the administrator.</summary>
    public required string By { get; set; }

    public DateTimeOffset Ends { get; set; }
}

public sealed class InvitationIndex(IndexTokens tokens)
{
    public const string RecordType = "_Invitation";
    private readonly IndexTokenKey _secrets = tokens.KeyFor($"{RecordType}/secret");

    public string IdOf(string secret) => SecretId.Of(_secrets, secret);

    public static void Add(StoredInvitation invitation, IndexEntries.Builder entries)
    {
        ArgumentNullException.ThrowIfNull(invitation);
        EndsField.Add(entries, invitation.Ends);
    }
}

/// <summary>Staff come in by invitation: an administrator says who they will be, they choose how they sign in.</summary>
public sealed partial class Invitations(
    SealedRecords<StoredInvitation> records, InvitationIndex index, AccountDirectory accounts, AccountRegistry registry, IRecordStore store, PublicAddresses addresses,
    IOptions<AccountOptions> options, TimeProvider clock)
{
    /// <returns>The link, which is nowhere else; a failure whose detail is the field that is wrong.</returns>
    public async Task<Outcome<string>> InviteAsync(StoredInvitation invitation, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(invitation);
        if (await CheckPlaceAsync(invitation.Role, invitation.Organization, invitation.FhirUser, ct) is { } wrong)
        {
            return wrong;
        }
        var secret = SecretId.NewSecret();
        invitation.Ends = clock.GetUtcNow() + options.Value.InvitationLifetime;
        return await records.TryWriteAsync(index.IdOf(secret), invitation, 0, null, ct)
            ? $"{addresses.Issuer}/invitation?token={secret}"
            : throw new InvalidOperationException("A new invitation has the id of another one.");
    }

    /// <summary>Whether a member of staff can have this place.</summary>
    /// <returns>Null when they can; a failure whose detail is the field that is wrong.</returns>
    public async ValueTask<FhirFailure?> CheckPlaceAsync(Role role, string? organization, string? fhirUser, CancellationToken ct)
    {
        if (role == Role.Patient || !Enum.IsDefined(role))
        {
            return FhirFailure.Of(FailureKind.Invalid, "Only staff are invited.", detail: "role");
        }
        if (organization is not null && !await IsThereAsync("Organization", organization, ct))
        {
            return FhirFailure.Of(FailureKind.Invalid, "There is no such Organization.", detail: "organization");
        }
        if (fhirUser is not null && !(PractitionerPattern().IsMatch(fhirUser) && await IsThereAsync("Practitioner", fhirUser[(fhirUser.IndexOf('/', StringComparison.Ordinal) + 1)..], ct)))
        {
            return FhirFailure.Of(FailureKind.Invalid, "There is no such Practitioner.", detail: "practitioner");
        }
        return role == Role.Practitioner && fhirUser is null
            ? FhirFailure.Of(FailureKind.Invalid, "A practitioner needs a Practitioner resource.", detail: "practitioner")
            : null;
    }

    /// <returns>Null where it was used, withdrawn, is over, or never was.</returns>
    public async Task<StoredInvitation?> FindAsync(string secret, CancellationToken ct) => (await OpenAsync(secret, ct))?.Value;

    public async Task<IReadOnlyList<Sealed<StoredInvitation>>> OpenOnesAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var open = new List<Sealed<StoredInvitation>>();
        await foreach (var invitation in records.QueryAsync(Predicate.Everything, ct))
        {
            if (now < invitation.Value.Ends)
            {
                open.Add(invitation);
            }
        }
        return open;
    }

    public async Task WithdrawAsync(string id, CancellationToken ct)
    {
        while (await records.FindAsync(id, ct) is { } found && !await records.TryRemoveAsync(id, found.Version, ct))
        {
        }
    }

    /// <summary>Makes the account. The invitation is used up before it: of two who come with it, one gets in.</summary>
    /// <returns>The account's id; a failure whose detail is the field that is wrong, or <c>invitation</c>.</returns>
    public async Task<Outcome<string>> AcceptAsync(string secret, string userName, string password, string displayName, string language, CancellationToken ct)
    {
        if (await OpenAsync(secret, ct) is not { } invitation)
        {
            return FhirFailure.Of(FailureKind.Gone, "The invitation is over.", detail: "invitation");
        }
        if (UserNames.Normalise(userName) is not { } name)
        {
            return FhirFailure.Of(FailureKind.Invalid, "That is no user name.", detail: "username");
        }
        if (PasswordRules.Check(password, name) is { } fault)
        {
            return FhirFailure.Of(FailureKind.Invalid, fault.ToString(), detail: "password");
        }
        if (await accounts.FindByUserNameAsync(name, ct) is not null)
        {
            return FhirFailure.Of(FailureKind.Conflict, "Another account has this user name.", detail: "username-taken");
        }
        if (!await records.TryRemoveAsync(invitation.Id, invitation.Version, ct))
        {
            return FhirFailure.Of(FailureKind.Gone, "The invitation is over.", detail: "invitation");
        }
        var given = invitation.Value;
        return await registry.CreateAsync(
            new(name)
            {
                Password = password,
                DisplayName = displayName.Length == 0 ? null : displayName,
                // The link went to this address, or was handed over: only the former proves it, and nobody knows which it was.
                FhirUser = given.FhirUser,
                Roles = [new(given.Role, given.Organization)],
                Language = language,
            },
            ct);
    }

    /// <summary>Makes the account of somebody whom an outside provider vouches for, where exactly one open invitation has their address.</summary>
    /// <param name="wanted">Gets the place of the invitation.</param>
    /// <returns>Null where there is no such invitation.</returns>
    public async Task<Outcome<string>?> AcceptByAddressAsync(string address, NewAccount wanted, CancellationToken ct)
    {
        var theirs = (await OpenOnesAsync(ct)).Where(invitation => invitation.Value.Email == address).ToList();
        if (theirs is not [var invitation] || !await records.TryRemoveAsync(invitation.Id, invitation.Version, ct))
        {
            return null;
        }
        return await registry.CreateAsync(
            wanted with { FhirUser = invitation.Value.FhirUser, Roles = [new(invitation.Value.Role, invitation.Value.Organization)] }, ct);
    }

    private async Task<Sealed<StoredInvitation>?> OpenAsync(string secret, CancellationToken ct) =>
        secret.Length > 0 && await records.FindAsync(index.IdOf(secret), ct) is { } found && clock.GetUtcNow() < found.Value.Ends ? found : null;

    private async Task<bool> IsThereAsync(string type, string id, CancellationToken ct) =>
        FhirIds.IsValid(id) && await store.GetAsync(new(type, id), ct) is { Deleted: false };

    [GeneratedRegex(@"^Practitioner/[A-Za-z0-9\-.]{1,64}\z")]
    private static partial Regex PractitionerPattern();
}
