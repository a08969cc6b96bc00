using Authorization.Access;
using Authorization.Accounts;
using Authorization.Endpoints;
using Authorization.Outside;
using Authorization.Server;
using Authorization.Trail;
using FhirCore;
using FhirCore.Auditing;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary>
/// <c>/auth/outside/{name}</c>: to an outside provider and back; <c>/auth/account/outside</c>, where a person joins one to their account;
/// <c>/auth/accounts/waiting</c>, where administrators say who somebody is.
/// </summary>
internal sealed class OutsidePages(
    ExternalProviders providers, OutsideSignIn outside, OutsideAccounts accounts, AccountDirectory directory, AccountIndex index, SealedRecords<Account> records, Flows flows,
    Sessions sessions, PasswordSignIn passwords, LoginThrottle throttle, SecurityRecord trail, PublicAddresses addresses)
{
    /// <summary>How they proved who they are, by somebody else's word. RFC 8176 has no value for it.</summary>
    public const string Method = "fed";

    private const string Throttled = "outside page"; // no client has an id with a blank

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage("outside/{provider}", static visit => visit.GoToAsync(visit.PathOf("sign-in")), BeginAsync);
        routes.MapPage("outside/{provider}/return", FinishAsync);
        routes.MapPage("outside/{provider}/signed-out", ShowSignedOutAsync);
        routes.MapPost($"{PublicAddresses.LocalPath}/outside/{{provider}}/logout", EndAsync);
        routes.MapOwnPage("account/outside", visit => ShowOwnAsync(visit, new()), JoinAsync);
        routes.MapOwnPage("account/outside/part", static visit => visit.GoToAsync(visit.PathOf("account/outside")), PartAsync);
        routes.MapStaffPage("accounts/waiting", [Role.Administrator], visit => ShowWaitingAsync(visit, new()), DecideAsync);
    }

    private static string NameOf(HttpContext context) => context.Request.RouteValues["provider"] as string ?? "";

    private static Task RefuseAsync(Visit visit, string key, int status) => visit.TellAsync(key, status, visit.PathOf("sign-in"), "sign-in.title");

    private async Task BeginAsync(Visit visit)
    {
        if (providers.Find(NameOf(visit.Http)) is not { } provider)
        {
            await RefuseAsync(visit, "outside.failed", StatusCodes.Status404NotFound);
            return;
        }
        await GoAsync(visit, provider, accountId: null, ReturnPath.Check(visit.Field("return"), addresses));
    }

    private async Task GoAsync(Visit visit, ExternalProvider provider, string? accountId, string? returnPath)
    {
        if (await outside.BeginAsync(visit.Http, provider, accountId, returnPath, visit.Aborted) is not { } address)
        {
            await RefuseAsync(visit, "outside.away", StatusCodes.Status503ServiceUnavailable);
            return;
        }
        visit.EndsAtApps = true;
        await visit.GoToAsync(address);
    }

    private async Task FinishAsync(Visit visit)
    {
        if (await throttle.WaitForAsync(Throttled, visit.Address, visit.Aborted) is not null)
        {
            await RefuseAsync(visit, "wait", StatusCodes.Status429TooManyRequests);
            return;
        }
        switch (await outside.FinishAsync(visit.Http, NameOf(visit.Http), visit.Aborted))
        {
            case OutsideReturn.Proven { Flow.AccountId: { } joining } proven:
                await FinishJoinAsync(visit, joining, proven);
                break;
            case OutsideReturn.Proven proven:
                await FinishSignInAsync(visit, proven);
                break;
            case OutsideReturn.Declined:
                await visit.KeepAsync(SecurityEventKind.SignIn, "outside-declined", succeeded: false);
                await RefuseAsync(visit, "outside.declined", StatusCodes.Status403Forbidden);
                break;
            case OutsideReturn.Refused(var fault):
                await throttle.FailedAsync(Throttled, visit.Address, CancellationToken.None);
                await visit.KeepAsync(SecurityEventKind.SignIn, $"outside-{fault}", succeeded: false);
                await RefuseAsync(visit, "outside.failed", StatusCodes.Status403Forbidden);
                break;
        }
    }

    private async Task FinishSignInAsync(Visit visit, OutsideReturn.Proven proven)
    {
        if (!(await accounts.ArriveAsync(proven.Provider, proven.Identity, visit.Texts.Language, visit.Aborted)).TryGet(out var accountId, out _)
            || await directory.FindAsync(accountId, visit.Aborted) is not { Value.Status: not AccountStatus.Disabled } account)
        {
            await visit.KeepAsync(SecurityEventKind.SignIn, "outside-disabled", succeeded: false);
            await RefuseAsync(visit, "outside.failed", StatusCodes.Status403Forbidden);
            return;
        }
        var origin = new SessionOrigin(proven.Provider.Name, proven.Provider.Issuer, proven.Identity.SessionId, proven.Identity.At);
        if (account.Value.TotpSecret is not null && !proven.Identity.HasSecondFactor)
        {
            await flows.BeginAsync(visit.Http, new() { Kind = FlowKind.SecondFactor, AccountId = accountId, Return = proven.Flow.Return, Origin = origin }, withCode: false, visit.Aborted);
            await visit.GoToAsync(visit.PathOf("sign-in/code"));
            return;
        }
        await sessions.BeginAsync(visit.Http, accountId, proven.Identity.HasSecondFactor ? [Method, "mfa"] : [Method], visit.Aborted, origin);
        visit.EndsAtApps = true;
        await visit.GoToAsync(proven.Flow.Return ?? visit.PathOf("account"));
    }

    /// <summary>The browser must still be signed in as who began it: both have been shown, here and there.</summary>
    private async Task FinishJoinAsync(Visit visit, string accountId, OutsideReturn.Proven proven)
    {
        if (visit.SignedIn?.AccountId != accountId || !await accounts.TryJoinAsync(accountId, proven.Identity, visit.Aborted))
        {
            await visit.KeepAsync(SecurityEventKind.AccountChange, "outside-joined", succeeded: false);
            await visit.TellAsync("outside.not-joined", StatusCodes.Status409Conflict, visit.PathOf("account/outside"));
            return;
        }
        await visit.KeepAsync(SecurityEventKind.AccountChange, "outside-joined");
        await visit.GoToAsync(visit.PathOf("account/outside"));
    }

    private async Task ShowSignedOutAsync(Visit visit)
    {
        if (providers.Find(NameOf(visit.Http)) is not { } provider)
        {
            await visit.GoToAsync(visit.PathOf("sign-in"));
            return;
        }
        await visit.ShowAsync<SignedOut>(StatusCodes.Status200OK, (nameof(SignedOut.Provider), provider.Title), (nameof(SignedOut.Address), await outside.SignOutAddressAsync(provider, visit.Aborted)));
    }

    /// <summary>Not a page: the provider's own server tells that somebody is no longer signed in there.</summary>
    private async Task EndAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        context.Response.Headers.CacheControl = "no-store";
        if (providers.Find(NameOf(context)) is not { } provider || !context.Request.HasFormContentType
            || (await context.Request.ReadFormAsync(ct))["logout_token"] is not [{ Length: > 0 } token] || await outside.ReadLogoutAsync(provider, token, ct) is not { } logout)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"error":"invalid_request","error_description":"No logout token of this provider, or one that was used."}""", ct);
            return;
        }
        var account = logout.Subject is null ? null : await records.FirstAsync(index.OutsideSubject(OutsideIdentity.KeyOf(provider.Issuer, logout.Subject)), ct);
        if (logout.Subject is null || account is not null)
        {
            foreach (var accountId in await sessions.EndOutsideAsync(provider.Issuer, account?.Id, logout.SessionId, ct))
            {
                await trail.KeepAsync(
                    new(SecurityEventKind.SignOut, true, AccountId: accountId, FhirUser: await trail.FhirUserOfAsync(accountId, ct), Address: SecurityRecord.AddressOf(context), Detail: "outside"), ct);
            }
        }
    }

    private Task ShowOwnAsync(Visit visit, FormFaults faults)
    {
        visit.EndsAtApps = true;
        var issuer = visit.Who.Account.OutsideSubject?.Split(' ')[0];
        return visit.ShowAsync<OutsideAccount>(
            faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(OutsideAccount.Faults), faults), (nameof(OutsideAccount.Providers), providers.All),
            (nameof(OutsideAccount.Joined), issuer is null ? null : providers.All.FirstOrDefault(provider => provider.Issuer == issuer)?.Title ?? issuer));
    }

    private async Task JoinAsync(Visit visit)
    {
        var faults = new FormFaults();
        if (providers.Find(visit.Field("provider")) is not { } provider || visit.Who.Account.OutsideSubject is not null)
        {
            await visit.GoToAsync(visit.PathOf("account/outside"));
            return;
        }
        if (!await passwords.ConfirmAsync(visit.Who, visit.Typed("password"), visit.Address, visit.Aborted))
        {
            faults.AddNotConfirmed(visit.Who.Account, "password");
            await ShowOwnAsync(visit, faults);
            return;
        }
        await GoAsync(visit, provider, visit.Who.AccountId, null);
    }

    private async Task PartAsync(Visit visit)
    {
        var faults = new FormFaults();
        if (!await passwords.ConfirmAsync(visit.Who, visit.Typed("password"), visit.Address, visit.Aborted))
        {
            faults.AddNotConfirmed(visit.Who.Account, "password");
        }
        else if (!await accounts.TryPartAsync(visit.Who.AccountId, visit.Aborted))
        {
            faults.Add("", "outside.only");
        }
        if (faults.HasAny)
        {
            await ShowOwnAsync(visit, faults);
            return;
        }
        await visit.KeepAsync(SecurityEventKind.AccountChange, "outside-parted");
        await visit.GoToAsync(visit.PathOf("account/outside"));
    }

    private async Task ShowWaitingAsync(Visit visit, FormFaults faults)
    {
        const int most = 100;
        var waiting = new List<Sealed<Account>>();
        await foreach (var account in accounts.WaitingAsync(visit.Aborted))
        {
            waiting.Add(account);
            if (waiting.Count == most)
            {
                break;
            }
        }
        await visit.ShowAsync<OutsideRequests>(
            faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(OutsideRequests.Waiting), waiting), (nameof(OutsideRequests.Faults), faults),
            (nameof(OutsideRequests.Titles), providers.All.ToDictionary(static provider => provider.Name, static provider => provider.Title)));
    }

    private async Task DecideAsync(Visit visit)
    {
        var account = visit.Field("account");
        if (visit.Field("decision") == "refuse")
        {
            if (await accounts.RefuseAsync(account, visit.Aborted))
            {
                await visit.KeepAsync(SecurityEventKind.AccountChange, "outside-refused", about: account);
            }
            await visit.GoToAsync(visit.PathOf("accounts/waiting"));
            return;
        }
        var role = Enum.TryParse<Role>(visit.Field("role"), out var chosen) ? chosen : Role.Patient; // which is refused
        var organization = Id(visit.Field("organization"), "Organization/");
        var practitioner = Id(visit.Field("practitioner"), "Practitioner/");
        if (await accounts.ApproveAsync(account, role, organization, practitioner is null ? null : $"Practitioner/{practitioner}", visit.Aborted) is { } wrong)
        {
            var faults = new FormFaults();
            faults.Add("", wrong.Issues[0].Detail is "gone" ? "outside.requests.gone" : $"invite.{wrong.Issues[0].Detail}.wrong");
            await ShowWaitingAsync(visit, faults);
            return;
        }
        await visit.KeepAsync(SecurityEventKind.AccountChange, $"outside-approved-{role}", about: account);
        await visit.GoToAsync(visit.PathOf("accounts/waiting"));

        static string? Id(string text, string prefix) => text.Length == 0 ? null : text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;
    }
}
