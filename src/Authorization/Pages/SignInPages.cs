using Authorization.Accounts;
using Authorization.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/sign-in</c> and <c>/auth/sign-out</c>.</summary>
internal sealed class SignInPages(PasswordSignIn passwords, Sessions sessions, PublicAddresses addresses)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage("sign-in", visit => ShowAsync(visit), SignInAsync);
        routes.MapPage("sign-out", visit => visit.ShowAsync<SignOut>(), SignOutAsync);
    }

    private static Task ShowAsync(Visit visit, int status = StatusCodes.Status200OK, string? fault = null)
    {
        visit.EndsAtApps = true;
        return visit.ShowAsync<SignIn>(status,
            (nameof(SignIn.Return), HttpMethods.IsPost(visit.Http.Request.Method) ? visit.Field("return") : visit.Query("return")),
            (nameof(SignIn.UserName), visit.Field("username")), (nameof(SignIn.Fault), fault));
    }

    private async Task SignInAsync(Visit visit)
    {
        switch (await passwords.RunAsync(visit.Field("username"), visit.Typed("password"), visit.Address, visit.Aborted))
        {
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

    private async Task SignOutAsync(Visit visit)
    {
        await sessions.EndAsync(visit.Http, visit.Aborted);
        await visit.GoToAsync(visit.PathOf("sign-in"));
    }
}
