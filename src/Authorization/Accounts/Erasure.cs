using Authorization.Access;
using Authorization.Stores;
using Microsoft.Extensions.DependencyInjection;
using OpenIddict.Core;

namespace Authorization.Accounts;

/// <summary>Removes an account and all that hangs on it. The clinical record is the clinic's to keep, and stays.</summary>
public sealed class Erasure(AccountDirectory accounts, Sessions sessions, PatientLinks links, LockOut lockOut, IServiceScopeFactory scopes)
{
    /// <returns>False for the last administrator: nobody could invite another one.</returns>
    public async Task<bool> RunAsync(string accountId, CancellationToken ct)
    {
        if (await accounts.FindAsync(accountId, ct) is not { } account)
        {
            return true;
        }
        if (account.Value.Roles.Exists(static held => held.Role == Role.Administrator) && !await accounts.HasOtherAdministratorAsync(accountId, ct))
        {
            return false;
        }
        // The account first: without it no session and no token is good any more, whatever becomes of the rest.
        await accounts.RemoveAsync(accountId, ct);
        await sessions.EndAllAsync(accountId, except: null, ct);
        await links.RefuseAsync(accountId, ct);
        await lockOut.ForgiveAsync(account.Value.UserName, ct);
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<OpenIddictAuthorizationManager<OAuthAuthorization>>().RevokeBySubjectAsync(accountId, ct);
        await scope.ServiceProvider.GetRequiredService<OpenIddictTokenManager<OAuthToken>>().RevokeBySubjectAsync(accountId, ct);
        return true;
    }
}
