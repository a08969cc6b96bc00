using Authorization.Access;
using Authorization.Accounts;
using FhirCore.Auditing;
using FhirCore.Records;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/accounts</c>: administrators see who works here, and close and open accounts.</summary>
internal sealed class StaffPages(SealedRecords<Account> records, AccountIndex index, AccountDirectory accounts, Sessions sessions)
{
    private const int MostShown = 500;
    private static readonly Role[] Staff = [.. Enum.GetValues<Role>().Where(role => role != Role.Patient)];

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapStaffPage("accounts", [Role.Administrator], visit => ShowAsync(visit), FindAsync);
        routes.MapStaffPage("accounts/status", [Role.Administrator], visit => visit.GoToAsync(visit.PathOf("accounts")), ChangeAsync);
    }

    private async Task ShowAsync(Visit visit, Sealed<Account>? found = null, bool looked = false)
    {
        var staff = new List<Sealed<Account>>();
        await foreach (var account in records.QueryAsync(new Predicate.AnyOf([.. Staff.Select(index.Role)]), visit.Aborted))
        {
            staff.Add(account);
            if (staff.Count == MostShown)
            {
                break;
            }
        }
        await visit.ShowAsync<AccountList>(
            looked && found is null ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK,
            (nameof(AccountList.Staff), staff), (nameof(AccountList.Found), found), (nameof(AccountList.NotFound), looked && found is null));
    }

    private async Task FindAsync(Visit visit)
    {
        var typed = visit.Field("username");
        await ShowAsync(visit, await accounts.FindByUserNameAsync(Contact.Parse(typed)?.Value ?? typed, visit.Aborted), looked: true);
    }

    private async Task ChangeAsync(Visit visit)
    {
        var id = visit.Field("account");
        if (id == visit.Who.AccountId)
        {
            await visit.TellAsync("not-allowed", StatusCodes.Status403Forbidden, visit.PathOf("accounts")); // nobody locks themselves out by mistake
            return;
        }
        if (visit.Field("to") == "disabled")
        {
            var closed = await accounts.ChangeAsync(id, static account => account.Status != AccountStatus.Disabled && (account.Status = AccountStatus.Disabled) == AccountStatus.Disabled, visit.Aborted);
            await sessions.EndAllAsync(id, except: null, visit.Aborted);
            await KeepAsync(visit, closed, "closed", id);
        }
        else
        {
            await KeepAsync(visit, await accounts.ChangeAsync(id, Reopen, visit.Aborted), "opened", id);
        }
        await visit.GoToAsync(visit.PathOf("accounts"));
    }

    private static Task KeepAsync(Visit visit, (Account Account, bool Changed)? done, string detail, string id) =>
        done is { Changed: true } ? visit.KeepAsync(SecurityEventKind.AccountChange, detail, about: id) : Task.CompletedTask;

    /// <summary>Who was never linked to anyone is pending, as before.</summary>
    private static bool Reopen(Account account)
    {
        if (account.Status != AccountStatus.Disabled)
        {
            return false;
        }
        account.Status = account.Roles.Count > 0 ? AccountStatus.Active : AccountStatus.Pending;
        return true;
    }
}
