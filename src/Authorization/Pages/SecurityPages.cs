using Authorization.Accounts;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary>What people do about their own account: password, sessions, language, erasure.</summary>
internal sealed class SecurityPages(
    PasswordSignIn passwords, Passwords hashes, AccountDirectory accounts, Sessions sessions, Erasure erasure, PageCookies cookies)
{
    private static readonly TimeSpan LanguageIsKept = TimeSpan.FromDays(365);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapOwnPage("account/password", visit => ShowPasswordAsync(visit, new()), ChangePasswordAsync);
        routes.MapOwnPage("account/sessions", ShowSessionsAsync, EndSessionsAsync);
        routes.MapOwnPage("account/language", visit => visit.GoToAsync(visit.PathOf("account")), ChooseLanguageAsync);
        routes.MapOwnPage("account/erase", visit => ShowEraseAsync(visit, new()), EraseAsync);
    }

    private static Task ShowPasswordAsync(Visit visit, FormFaults faults) =>
        visit.ShowAsync<ChangePassword>(faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(ChangePassword.Faults), faults));

    private async Task ChangePasswordAsync(Visit visit)
    {
        var faults = new FormFaults();
        var account = visit.Who.Account;
        var password = visit.Typed("new-password");
        faults.AddPassword("new-password", PasswordRules.Check(password, account.UserName));
        if (!faults.HasAny && !await passwords.ConfirmAsync(visit.Who, visit.Typed("password"), visit.Address, visit.Aborted))
        {
            faults.AddNotConfirmed(account, "password");
        }
        if (faults.HasAny)
        {
            await ShowPasswordAsync(visit, faults);
            return;
        }
        var old = account.PasswordHash;
        var hash = hashes.Hash(password);
        var changed = await accounts.ChangeAsync(visit.Who.AccountId, now => now.PasswordHash == old && (now.PasswordHash = hash) is not null, visit.Aborted);
        if (changed is not { Changed: true })
        {
            faults.AddNotConfirmed(account, "password"); // another request has changed it meanwhile
            await ShowPasswordAsync(visit, faults);
            return;
        }
        await sessions.EndAllAsync(visit.Who.AccountId, visit.Who.SessionId, visit.Aborted);
        await visit.KeepAsync(SecurityEventKind.AccountChange, "password");
        await visit.TellAsync("password.changed", next: visit.PathOf("account"));
    }

    private async Task ShowSessionsAsync(Visit visit) =>
        await visit.ShowAsync<SessionList>(StatusCodes.Status200OK, (nameof(SessionList.All), await sessions.ListAsync(visit.Who.AccountId, visit.Aborted)));

    private async Task EndSessionsAsync(Visit visit)
    {
        if (visit.Field("session") is { Length: > 0 } one)
        {
            if (await sessions.EndAsync(visit.Who.AccountId, one, visit.Aborted))
            {
                await visit.KeepAsync(SecurityEventKind.SignOut, "one-other");
            }
        }
        else
        {
            await sessions.EndAllAsync(visit.Who.AccountId, visit.Who.SessionId, visit.Aborted);
            await visit.KeepAsync(SecurityEventKind.SignOut, "all-others");
        }
        await visit.GoToAsync(visit.PathOf("account/sessions"));
    }

    private async Task ChooseLanguageAsync(Visit visit)
    {
        if (visit.Field("language") is var language && Texts.IsOffered(language))
        {
            await accounts.ChangeAsync(visit.Who.AccountId, account => (account.Language = language) is not null, visit.Aborted);
            cookies.Write(visit.Http, PageCookies.Language, language, LanguageIsKept);
        }
        await visit.GoToAsync(visit.PathOf("account"));
    }

    private static Task ShowEraseAsync(Visit visit, FormFaults faults) =>
        visit.ShowAsync<Erase>(faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(Erase.Faults), faults));

    private async Task EraseAsync(Visit visit)
    {
        var faults = new FormFaults();
        var account = visit.Who.Account;
        if (account.PasswordHash is null)
        {
            // They sign in elsewhere: their own name, typed, shows that they mean it.
            if (UserNames.Normalise(visit.Field("username")) != account.UserName)
            {
                faults.Add("username", "erase.username.wrong");
            }
        }
        else if (!await passwords.ConfirmAsync(visit.Who, visit.Typed("password"), visit.Address, visit.Aborted))
        {
            faults.Add("password", "password.current.wrong");
        }
        if (!faults.HasAny && !await erasure.RunAsync(visit.Who.AccountId, visit.Aborted))
        {
            faults.Add("", "erase.last-administrator");
        }
        if (faults.HasAny)
        {
            await ShowEraseAsync(visit, faults);
            return;
        }
        await visit.KeepAsync(SecurityEventKind.AccountChange, "erased");
        await sessions.EndAsync(visit.Http, visit.Aborted);
        await visit.GoToAsync(visit.PathOf("erased"));
    }
}
