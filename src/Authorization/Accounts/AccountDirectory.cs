using Authorization.Access;
using FhirStore.Sealed;

namespace Authorization.Accounts;

/// <summary>Looks accounts up, and changes them.</summary>
public sealed class AccountDirectory(SealedRecords<Account> accounts, AccountIndex index)
{
    public ValueTask<Sealed<Account>?> FindAsync(string accountId, CancellationToken ct) => accounts.FindAsync(accountId, ct);

    /// <param name="userName">As typed.</param>
    public async ValueTask<Sealed<Account>?> FindByUserNameAsync(string? userName, CancellationToken ct) =>
        UserNames.Normalise(userName) is { } name ? await accounts.FirstAsync(index.UserName(name), ct) : null;

    /// <param name="reference">Such as <c>Patient/123</c>.</param>
    public IAsyncEnumerable<Sealed<Account>> OfFhirUserAsync(string reference, CancellationToken ct) => accounts.QueryAsync(index.FhirUser(reference), ct);

    /// <summary>Whether anyone else is an administrator who can sign in.</summary>
    public async Task<bool> HasOtherAdministratorAsync(string accountId, CancellationToken ct)
    {
        await foreach (var other in accounts.QueryAsync(index.Role(Role.Administrator), ct))
        {
            if (other.Id != accountId && other.Value.Status == AccountStatus.Active)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Removes it without a trace.</summary>
    public async Task RemoveAsync(string accountId, CancellationToken ct)
    {
        while (await accounts.FindAsync(accountId, ct) is { } found && !await accounts.TryRemoveAsync(accountId, found.Version, ct))
        {
        }
    }

    /// <param name="change">May be called again, on what someone else has written meanwhile. Returns false to leave all as it is.</param>
    /// <returns>The account as it stands now, and whether this call changed it; null where there is none.</returns>
    public async Task<(Account Account, bool Changed)?> ChangeAsync(string accountId, Func<Account, bool> change, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(change);
        while (true)
        {
            if (await accounts.FindAsync(accountId, ct) is not { } found)
            {
                return null;
            }
            if (!change(found.Value))
            {
                return (found.Value, false);
            }
            if (await accounts.TryWriteAsync(accountId, found.Value, found.Version, index.UserName(found.Value.UserName), ct))
            {
                return (found.Value, true);
            }
        }
    }
}
