using Authorization.Endpoints;
using Authorization.Trail;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Identity;

namespace Authorization.Accounts;

public abstract record PasswordSignInResult
{
    private PasswordSignInResult()
    {
    }

    public sealed record Right(Sealed<Account> Account) : PasswordSignInResult;

    /// <summary>Unknown, wrong, locked or disabled: nobody is told which.</summary>
    public sealed record Refused : PasswordSignInResult;

    /// <summary>Too many attempts from this address.</summary>
    public sealed record Wait(TimeSpan Time) : PasswordSignInResult;
}

/// <summary>Checks a user name and password. The same work is done whether or not anyone has the name.</summary>
public sealed class PasswordSignIn(AccountDirectory accounts, Passwords passwords, LockOut lockOut, LoginThrottle throttle, SecurityRecord trail, TimeProvider clock)
{
    private const string Throttled = "sign-in page"; // no client has an id with a blank

    public async Task<PasswordSignInResult> RunAsync(string userName, string password, string? address, CancellationToken ct)
    {
        if (await throttle.WaitForAsync(Throttled, address, ct) is { } wait)
        {
            await trail.KeepSignInAsync(succeeded: false, null, address, "throttled", ct);
            return new PasswordSignInResult.Wait(wait);
        }
        var name = UserNames.Normalise(userName) ?? "";
        var free = await lockOut.TryBeginAsync(name, ct);
        var found = await accounts.FindByUserNameAsync(name, ct);
        var verified = passwords.Verify(found?.Value.PasswordHash, password);
        if (!free || found is null || verified == PasswordVerificationResult.Failed || found.Value.Status == AccountStatus.Disabled)
        {
            await throttle.FailedAsync(Throttled, address, CancellationToken.None); // counted also where the browser does not wait for the answer
            await trail.KeepSignInAsync(succeeded: false, found?.Id, address, Reason(free, found?.Value), ct);
            return new PasswordSignInResult.Refused();
        }
        await lockOut.ForgiveAsync(name, ct);
        if (verified == PasswordVerificationResult.SuccessRehashNeeded)
        {
            var old = found.Value.PasswordHash;
            await accounts.ChangeAsync(found.Id, account => Rehash(account, old, password), ct);
        }
        return new PasswordSignInResult.Right(found);
    }

    /// <summary>Who has no password here has shown that it is them when they signed in, for so long.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);

    /// <summary>For whoever is signed in and must show once more that it is them: before erasure, new credentials and the like.</summary>
    public async Task<bool> ConfirmAsync(SignedIn who, string password, string? address, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(who);
        var account = who.Account;
        if (account.PasswordHash is null)
        {
            return clock.GetUtcNow() - who.Started < Fresh;
        }
        if (!await lockOut.TryBeginAsync(account.UserName, ct) || passwords.Verify(account.PasswordHash, password) == PasswordVerificationResult.Failed)
        {
            await trail.KeepSignInAsync(succeeded: false, who.AccountId, address, "confirmation", ct);
            return false;
        }
        await lockOut.ForgiveAsync(account.UserName, ct);
        return true;
    }

    private static string Reason(bool free, Account? account) =>
        account is null ? "unknown" : !free ? "locked-out" : account.Status == AccountStatus.Disabled ? "disabled" : "password";

    private bool Rehash(Account account, string? old, string password)
    {
        if (account.PasswordHash != old)
        {
            return false; // it has been changed meanwhile
        }
        account.PasswordHash = passwords.Hash(password);
        return true;
    }
}
