using System.Buffers.Text;
using Authorization.Accounts;
using Authorization.Endpoints;
using Authorization.Server;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/account/passkeys</c> and <c>/auth/sign-in/passkey</c>: the one part of the pages that needs a script, as browsers offer it no other way.</summary>
internal sealed class PasskeyPages(Passkeys passkeys, Flows flows, Sessions sessions, PasswordSignIn passwords, LoginThrottle throttle, PublicAddresses addresses)
{
    private const string Throttled = "passkey page"; // no client has an id with a blank

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapSetUpPage("account/passkeys", visit => ShowAsync(visit, new(), null), BeginAsync);
        routes.MapSetUpPage("account/passkeys/add", visit => visit.GoToAsync(visit.PathOf("account/passkeys")), AddAsync);
        routes.MapOwnPage("account/passkeys/remove", visit => visit.GoToAsync(visit.PathOf("account/passkeys")), RemoveAsync);
        routes.MapPage("sign-in/passkey", visit => visit.GoToAsync(visit.PathOf("sign-in")), AskAsync);
        routes.MapPage("sign-in/passkey/answer", visit => visit.GoToAsync(visit.PathOf("sign-in")), SignInAsync);
    }

    private static Task ShowAsync(Visit visit, FormFaults faults, string? options) => visit.ShowAsync<PasskeyList>(
        faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(PasskeyList.Faults), faults), (nameof(PasskeyList.Options), options));

    private async Task BeginAsync(Visit visit)
    {
        var faults = new FormFaults();
        var account = visit.Who.Account;
        if (account.Passkeys.Count >= Passkeys.MostPerAccount)
        {
            faults.Add("", "passkeys.too-many");
        }
        else if (!await passwords.ConfirmAsync(visit.Who, visit.Typed("password"), visit.Address, visit.Aborted))
        {
            faults.AddNotConfirmed(account, "password");
        }
        if (faults.HasAny)
        {
            await ShowAsync(visit, faults, null);
            return;
        }
        var (options, state) = await passkeys.AskForNewAsync(visit.Http, visit.Who.AccountId, account);
        await flows.BeginAsync(visit.Http, new() { Kind = FlowKind.NewPasskey, AccountId = visit.Who.AccountId, State = state }, withCode: false, visit.Aborted);
        await ShowAsync(visit, faults, options);
    }

    private async Task AddAsync(Visit visit)
    {
        var name = visit.Field("name") is { Length: > 0 and <= Passkeys.LongestName } given ? given : visit.Texts["passkeys.unnamed"];
        if (await flows.FindAsync(visit.Http, FlowKind.NewPasskey, visit.Aborted) is { } flow && flow.Value.AccountId == visit.Who.AccountId
            && await flows.EndAsync(visit.Http, flow, visit.Aborted) // a challenge is answered once
            && await passkeys.AddAsync(visit.Http, visit.Who.AccountId, name, visit.Typed("credential"), flow.Value.State!))
        {
            await visit.KeepAsync(SecurityEventKind.AccountChange, "passkey-added");
            await visit.GoToAsync(visit.PathOf("account/passkeys"));
            return;
        }
        var faults = new FormFaults();
        faults.Add("", "passkeys.failed");
        await ShowAsync(visit, faults, null);
    }

    private async Task RemoveAsync(Visit visit)
    {
        var id = visit.Field("passkey");
        if (Base64Url.IsValid(id))
        {
            await passkeys.RemoveAsync(visit.Who.AccountId, Base64Url.DecodeFromChars(id), visit.Aborted);
            await visit.KeepAsync(SecurityEventKind.AccountChange, "passkey-removed");
        }
        await visit.GoToAsync(visit.PathOf("account/passkeys"));
    }

    private async Task AskAsync(Visit visit)
    {
        visit.EndsAtApps = true;
        var (options, state) = await passkeys.AskAsync(visit.Http);
        await flows.BeginAsync(
            visit.Http, new() { Kind = FlowKind.Passkey, State = state, Return = ReturnPath.Check(visit.Field("return"), addresses) }, withCode: false, visit.Aborted);
        await visit.ShowAsync<SignInPasskey>(StatusCodes.Status200OK, (nameof(SignInPasskey.Options), options));
    }

    private async Task SignInAsync(Visit visit)
    {
        if (await throttle.WaitForAsync(Throttled, visit.Address, visit.Aborted) is not null)
        {
            await visit.TellAsync("wait", StatusCodes.Status429TooManyRequests, visit.PathOf("sign-in"));
            return;
        }
        if (await flows.FindAsync(visit.Http, FlowKind.Passkey, visit.Aborted) is { } flow
            && await flows.EndAsync(visit.Http, flow, visit.Aborted)
            && await passkeys.TryAsync(visit.Http, visit.Typed("credential"), flow.Value.State!) is { } account)
        {
            await sessions.BeginAsync(visit.Http, account, Passkeys.Methods, visit.Aborted);
            visit.EndsAtApps = true;
            await visit.GoToAsync(flow.Value.Return ?? visit.PathOf("account"));
            return;
        }
        await throttle.FailedAsync(Throttled, visit.Address, CancellationToken.None);
        await visit.KeepAsync(SecurityEventKind.SignIn, "passkey", succeeded: false);
        await visit.TellAsync("passkey.refused", StatusCodes.Status422UnprocessableEntity, visit.PathOf("sign-in"), "sign-in.title");
    }
}
