using Authorization.Accounts;
using Authorization.Outside;
using Authorization.Server;
using Authorization.Trail;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/sign-in</c>, its second step, and <c>/auth/sign-out</c>.</summary>
internal sealed class SignInPages(
    PasswordSignIn passwords, Sessions sessions, Registration registration, Flows flows, SecondFactor secondFactor, SecurityRecord trail, ExternalProviders providers, PublicAddresses addresses)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage("sign-in", visit => visit.AnySignedIn is { MustAddSecondFactor: true } ? visit.GoToAsync(visit.PathOf("account/totp")) : ShowAsync(visit), SignInAsync);
        routes.MapPage("sign-in/code", ShowCodeAsync, TryCodeAsync);
        routes.MapPage("sign-out", visit => visit.ShowAsync<SignOut>(), SignOutAsync);
    }

    private Task ShowAsync(Visit visit, int status = StatusCodes.Status200OK, string? fault = null)
    {
        visit.EndsAtApps = true;
        return visit.ShowAsync<SignIn>(status,
            (nameof(SignIn.Return), HttpMethods.IsPost(visit.Http.Request.Method) ? visit.Field("return") : visit.Query("return")),
            (nameof(SignIn.UserName), visit.Field("username")), (nameof(SignIn.Fault), fault),
            (nameof(SignIn.Providers), providers.All), (nameof(SignIn.CanRegister), registration.IsOpen), (nameof(SignIn.CanReset), registration.CanReset));
    }

    private async Task SignInAsync(Visit visit)
    {
        switch (await passwords.RunAsync(visit.Field("username"), visit.Typed("password"), visit.Address, visit.Aborted))
        {
            case PasswordSignInResult.Right({ Value.TotpSecret: not null } account):
                await flows.BeginAsync(
                    visit.Http, new() { Kind = FlowKind.SecondFactor, AccountId = account.Id, Return = ReturnPath.Check(visit.Field("return"), addresses) }, withCode: false, visit.Aborted);
                await visit.GoToAsync(visit.PathOf("sign-in/code"));
                break;
            case PasswordSignInResult.Right(var account):
                await sessions.BeginAsync(visit.Http, account.Id, ["pwd"], visit.Aborted);
                await visit.GoToAsync(ReturnPath.Check(visit.Field("return"), addresses) ?? visit.PathOf("account"));
                break;
            case PasswordSignInResult.Wait(var time):
                visit.Http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(time.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
                await ShowAsync(visit, StatusCodes.Status429TooManyRequests, "sign-in.wait");
                break;
            default:
                await ShowAsync(visit, StatusCodes.Status422UnprocessableEntity, "sign-in.refused");
                break;
        }
    }

    private async Task ShowCodeAsync(Visit visit) =>
        await (await flows.FindAsync(visit.Http, FlowKind.SecondFactor, visit.Aborted) is null ? OverAsync(visit) : ShowCodeAsync(visit, fault: null));

    private static Task ShowCodeAsync(Visit visit, string? fault)
    {
        visit.EndsAtApps = true;
        return visit.ShowAsync<SignInCode>(fault is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity, (nameof(SignInCode.Fault), fault));
    }

    private static Task OverAsync(Visit visit) => visit.TellAsync("flow.over", StatusCodes.Status410Gone, visit.PathOf("sign-in"));

    private async Task TryCodeAsync(Visit visit)
    {
        if (await flows.FindAsync(visit.Http, FlowKind.SecondFactor, visit.Aborted) is not { } flow)
        {
            await OverAsync(visit);
            return;
        }
        if (!await secondFactor.TryAsync(flow.Value.AccountId!, visit.Field("code"), visit.Aborted))
        {
            await trail.KeepSignInAsync(succeeded: false, flow.Value.AccountId, visit.Address, "second-factor", visit.Aborted);
            await ShowCodeAsync(visit, "sign-in.code.wrong");
            return;
        }
        if (!await flows.EndAsync(visit.Http, flow, visit.Aborted))
        {
            await OverAsync(visit);
            return;
        }
        var origin = flow.Value.Origin;
        await sessions.BeginAsync(visit.Http, flow.Value.AccountId!, [origin is null ? "pwd" : OutsidePages.Method, "otp", "mfa"], visit.Aborted, origin);
        await visit.GoToAsync(flow.Value.Return ?? visit.PathOf("account"));
    }

    private async Task SignOutAsync(Visit visit)
    {
        var origin = await sessions.EndAsync(visit.Http, visit.Aborted);
        await visit.GoToAsync(visit.PathOf(origin is null ? "sign-in" : $"outside/{origin.Provider}/signed-out"));
    }
}
