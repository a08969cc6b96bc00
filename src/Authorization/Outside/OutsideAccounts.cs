using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Authorization.Access;
using Authorization.Accounts;
using FhirCore;
using FhirCore.Records;
using FhirStore.Sealed;
using FhirStore.Search;

namespace Authorization.Outside;

/// <summary>
/// Which account an outside identity is: the one that is joined to it already; else that of the practitioner whose number it brings; else
/// that of an invitation or account with its verified address, where the settings trust the provider with it; else a new one that can
/// do nothing until an administrator has decided. An address that is not verified decides nothing.
/// </summary>
public sealed class OutsideAccounts(
    SealedRecords<Account> accounts, AccountIndex index, AccountRegistry registry, Invitations invitations, Erasure erasure, SearchService search, TimeProvider clock)
{
    private const int Attempts = 5;
    private const string Letters = "abcdefghjkmnpqrstuvwxyz23456789";

    /// <returns>The account's id; refused where it is closed.</returns>
    public async Task<Outcome<string>> ArriveAsync(ExternalProvider provider, OutsideIdentity identity, string language, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(identity);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await accounts.FirstAsync(index.OutsideSubject(identity.Key), ct) is { } known)
            {
                return known.Value.Status == AccountStatus.Disabled ? Closed : known.Id;
            }
            var arrived = await AsPractitionerAsync(provider, identity, language, ct) ?? await ByAddressAsync(provider, identity, language, ct)
                ?? await registry.CreateAsync(New(identity, provider, language) with
                {
                    Status = AccountStatus.Pending,
                    OutsideRequest = new(provider.Name, identity.Name, identity.Email, identity.VerifiedEmail is not null, clock.GetUtcNow()),
                }, ct);
            if (arrived.TryGet(out _, out var failure) || failure.Kind != FailureKind.Conflict)
            {
                return arrived;
            }
            // Another browser of the same person was faster, or the name was taken by then.
        }
        throw new InvalidOperationException("No free user name was found.");
    }

    /// <summary>Joins an outside identity to the account of somebody who is signed in, and has shown both.</summary>
    /// <returns>False where the account has one already, or another account has this one.</returns>
    public Task<bool> TryJoinAsync(string accountId, OutsideIdentity identity, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return TryJoinAsync(accountId, identity.Key, ct);
    }

    /// <returns>False where they could not sign in any more.</returns>
    public async Task<bool> TryPartAsync(string accountId, CancellationToken ct)
    {
        while (await accounts.FindAsync(accountId, ct) is { Value: { OutsideSubject: not null } account } found && (account.PasswordHash is not null || account.Passkeys.Count > 0))
        {
            account.OutsideSubject = null;
            if (await accounts.TryWriteAsync(accountId, account, found.Version, null, ct))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Those who wait for an administrator.</summary>
    public async IAsyncEnumerable<Sealed<Account>> WaitingAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var account in accounts.QueryAsync(index.IsWaiting, ct))
        {
            yield return account;
        }
    }

    /// <returns>Null when done; a failure whose detail is the field that is wrong, or <c>gone</c>.</returns>
    public async Task<FhirFailure?> ApproveAsync(string accountId, Role role, string? organization, string? fhirUser, CancellationToken ct)
    {
        if (await invitations.CheckPlaceAsync(role, organization, fhirUser, ct) is { } wrong)
        {
            return wrong;
        }
        while (await accounts.FindAsync(accountId, ct) is { Value: { OutsideRequest: not null, Status: AccountStatus.Pending } account } found)
        {
            account.OutsideRequest = null;
            account.Status = AccountStatus.Active;
            account.FhirUser = fhirUser;
            account.Roles = [new(role, organization)];
            if (await accounts.TryWriteAsync(accountId, account, found.Version, null, ct))
            {
                return null;
            }
        }
        return FhirFailure.Of(FailureKind.Gone, "Nobody waits under this id.", detail: "gone");
    }

    /// <summary>They are nobody here: nothing of the account stays.</summary>
    public async Task<bool> RefuseAsync(string accountId, CancellationToken ct) =>
        await accounts.FindAsync(accountId, ct) is { Value: { OutsideRequest: not null, Status: AccountStatus.Pending } } && await erasure.RunAsync(accountId, ct);

    private static FhirFailure Closed => FhirFailure.Of(FailureKind.Forbidden, "The account is closed.", detail: "closed");

    /// <returns>Null where the number singles out no practitioner, or somebody else is that practitioner already.</returns>
    private async Task<Outcome<string>?> AsPractitionerAsync(ExternalProvider provider, OutsideIdentity identity, string language, CancellationToken ct)
    {
        if (identity.PractitionerNumber is not { } number || provider.PractitionerSystem is not { } system || await PractitionerAsync(system, number, ct) is not { } practitioner)
        {
            return null;
        }
        var theirs = new List<Sealed<Account>>();
        await foreach (var account in accounts.QueryAsync(index.FhirUser(practitioner), ct))
        {
            theirs.Add(account);
        }
        switch (theirs)
        {
            case []:
                return await registry.CreateAsync(New(identity, provider, language) with { FhirUser = practitioner, Roles = [new(Role.Practitioner, provider.Organization)] }, ct);
            case [{ Value.Status: AccountStatus.Disabled }]:
                return Closed; // an administrator has closed it: no second one is opened beside it
            case [{ Value: { Status: AccountStatus.Active, OutsideSubject: null } } only]:
                return await TryJoinAsync(only.Id, identity.Key, ct) ? only.Id : FhirFailure.Of(FailureKind.Conflict, "The account was changed meanwhile.");
            default:
                return null;
        }
    }

    private async Task<Outcome<string>?> ByAddressAsync(ExternalProvider provider, OutsideIdentity identity, string language, CancellationToken ct)
    {
        if (!provider.LinkByVerifiedEmail || identity.VerifiedEmail is not { } address)
        {
            return null;
        }
        if (await invitations.AcceptByAddressAsync(address, New(identity, provider, language), ct) is { } invited)
        {
            return invited;
        }
        var found = await accounts.FirstAsync(index.UserName(address), ct);
        return found?.Value switch
        {
            { Status: AccountStatus.Disabled } => Closed,
            { EmailVerified: true, OutsideSubject: null, Email: { } theirs } when theirs == address =>
                await TryJoinAsync(found.Id, identity.Key, ct) ? found.Id : FhirFailure.Of(FailureKind.Conflict, "The account was changed meanwhile."),
            _ => null,
        };
    }

    /// <returns>Null unless exactly one that is in use has the number.</returns>
    private async Task<string?> PractitionerAsync(string system, string number, CancellationToken ct)
    {
        var found = await search.MatchAsync("Practitioner", [new("identifier", $"{QueryText.Escape(system)}|{QueryText.Escape(number)}")], caller: null, ct); // the server itself looks
        if (!found.TryGet(out var match, out _) || match.Matches is not [var only])
        {
            return null;
        }
        using var practitioner = JsonDocument.Parse(only.Json);
        return practitioner.RootElement.TryGetProperty("active", out var active) && active.ValueKind == JsonValueKind.False ? null : only.Key.ToString();
    }

    private async Task<bool> TryJoinAsync(string accountId, string subject, CancellationToken ct)
    {
        while (await accounts.FindAsync(accountId, ct) is { Value: { OutsideSubject: null, Status: not AccountStatus.Disabled } account } found)
        {
            account.OutsideSubject = subject;
            if (await accounts.TryWriteAsync(accountId, account, found.Version, index.OutsideSubject(subject), ct))
            {
                return true;
            }
            if (await accounts.AnyAsync(index.OutsideSubject(subject), ct))
            {
                return false;
            }
        }
        return false;
    }

    private static NewAccount New(OutsideIdentity identity, ExternalProvider provider, string language) => new(NameOf(identity, provider))
    {
        DisplayName = identity.Name,
        Email = identity.VerifiedEmail is { } email && provider.LinkByVerifiedEmail ? email : null,
        Language = language,
        OutsideSubject = identity.Key,
    };

    /// <summary>Nobody types it to sign in; it is what administrators find them by.</summary>
    private static string NameOf(OutsideIdentity identity, ExternalProvider provider)
    {
        var own = $"{provider.Name}.{identity.UserName}";
        var random = RandomNumberGenerator.GetString(Letters, 6);
        return identity.UserName is not null && UserNames.Normalise($"{own}.{random}") is { } name ? name : $"{provider.Name}.{RandomNumberGenerator.GetString(Letters, 10)}";
    }
}
