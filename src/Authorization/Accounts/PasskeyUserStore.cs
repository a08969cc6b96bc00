using Microsoft.AspNetCore.Identity;

namespace Authorization.Accounts;

/// <summary>An account as Identity's passkey handler sees it.</summary>
public sealed record PasskeyUser(string Id, Account Account);

/// <summary>What Identity's passkey handler reads. It writes nothing: changes of accounts go by version, see <see cref="AccountDirectory.ChangeAsync"/>.</summary>
internal sealed class PasskeyUserStore(AccountDirectory accounts, CancellationToken aborted) : IUserPasskeyStore<PasskeyUser>
{
    public async Task<PasskeyUser?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        await accounts.FindAsync(userId, aborted) is { } found ? new(found.Id, found.Value) : null;

    public Task<string> GetUserIdAsync(PasskeyUser user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public Task<string?> GetUserNameAsync(PasskeyUser user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Account.UserName);

    public Task<IList<UserPasskeyInfo>> GetPasskeysAsync(PasskeyUser user, CancellationToken cancellationToken) =>
        Task.FromResult<IList<UserPasskeyInfo>>([.. user.Account.Passkeys.Select(Info)]);

    public Task<UserPasskeyInfo?> FindPasskeyAsync(PasskeyUser user, byte[] credentialId, CancellationToken cancellationToken) =>
        Task.FromResult(user.Account.Passkeys.Find(known => known.Id.AsSpan().SequenceEqual(credentialId)) is { } found ? Info(found) : null);

    /// <returns>Nobody: a passkey says whose it is, and a new one's id is 16 random bytes or more of its authenticator.</returns>
    public Task<PasskeyUser?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) => Task.FromResult<PasskeyUser?>(null);

    public async Task<PasskeyUser?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
        await accounts.FindByUserNameAsync(normalizedUserName, aborted) is { } found ? new(found.Id, found.Value) : null;

    public Task<string?> GetNormalizedUserNameAsync(PasskeyUser user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Account.UserName);

    public Task AddOrUpdatePasskeyAsync(PasskeyUser user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw ReadOnly();

    public Task RemovePasskeyAsync(PasskeyUser user, byte[] credentialId, CancellationToken cancellationToken) => throw ReadOnly();

    public Task<IdentityResult> CreateAsync(PasskeyUser user, CancellationToken cancellationToken) => throw ReadOnly();

    public Task<IdentityResult> DeleteAsync(PasskeyUser user, CancellationToken cancellationToken) => throw ReadOnly();

    public Task<IdentityResult> UpdateAsync(PasskeyUser user, CancellationToken cancellationToken) => throw ReadOnly();

    public Task SetUserNameAsync(PasskeyUser user, string? userName, CancellationToken cancellationToken) => throw ReadOnly();

    public Task SetNormalizedUserNameAsync(PasskeyUser user, string? normalizedName, CancellationToken cancellationToken) => throw ReadOnly();

    public void Dispose()
    {
        // Holds nothing.
    }

    private static UserPasskeyInfo Info(StoredPasskey passkey) => new(
        passkey.Id, passkey.PublicKey, passkey.Created, passkey.SignCount, passkey.Transports, passkey.UserVerified, passkey.BackupEligible, passkey.BackedUp,
        attestationObject: [], clientDataJson: []);

    private static NotSupportedException ReadOnly() => new("Accounts are changed by AccountDirectory, at the version that was read.");
}
