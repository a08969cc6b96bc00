using Authorization.Accounts;
using Authorization.Consents;
using Authorization.Stores;
using FhirCore;
using FhirCore.Auditing;
using FhirStore.Sealed;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenIddict.Server.AspNetCore;

namespace Authorization.Pages;

/// <summary>An app as its user sees it.</summary>
/// <param name="Name">Null where it is no longer registered.</param>
public sealed record ShownApp(string Id, string? Name, GrantedApp Granted);

/// <summary><c>/auth/apps</c>, SMART's management endpoint, and <c>/auth/end-session</c>.</summary>
internal sealed class AppsPages(ConsentMemory memory, SealedRecords<OAuthApplication> applications, Sessions sessions)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapOwnPage("apps", ShowAsync, RevokeAsync);
        routes.MapPage("end-session", AskAsync, EndAsync);
    }

    private async Task ShowAsync(Visit visit)
    {
        var shown = new List<ShownApp>();
        foreach (var app in await memory.ListAsync(visit.Who.AccountId, visit.Aborted))
        {
            var client = (await applications.FindAsync(app.ApplicationId, visit.Aborted))?.Value;
            shown.Add(new(app.ApplicationId, client is null ? null : client.DisplayName ?? client.ClientId, app));
        }
        await visit.ShowAsync<YourApps>(StatusCodes.Status200OK, (nameof(YourApps.Apps), shown));
    }

    private async Task RevokeAsync(Visit visit)
    {
        if (FhirIds.IsValid(visit.Field("app")))
        {
            await memory.RevokeAsync(visit.Who.AccountId, visit.Field("app"), visit.Aborted);
            await visit.KeepAsync(SecurityEventKind.Revocation, "by-user", clientId: (await applications.FindAsync(visit.Field("app"), visit.Aborted))?.Value.ClientId);
        }
        await visit.GoToAsync(visit.PathOf("apps"));
    }

    private static async Task AskAsync(Visit visit)
    {
        visit.EndsAtApps = true;
        if (visit.Http.GetOpenIddictServerResponse() is { Error: not null } refused)
        {
            await visit.ShowAsync<AppFault>(StatusCodes.Status400BadRequest, (nameof(AppFault.Reason), refused.ErrorDescription ?? refused.Error));
            return;
        }
        // Anyone can lead a browser here: the user says whether it is meant.
        await visit.ShowAsync<EndSession>(StatusCodes.Status200OK, (nameof(EndSession.Carried), Carried(visit).ToArray()));
    }

    private async Task EndAsync(Visit visit)
    {
        visit.EndsAtApps = true;
        await sessions.EndAsync(visit.Http, visit.Aborted);
        if (visit.Http.GetOpenIddictServerRequest()?.PostLogoutRedirectUri is { Length: > 0 } && visit.Http.GetOpenIddictServerResponse()?.Error is null)
        {
            await visit.Http.SignOutAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme, new());
            return;
        }
        await visit.GoToAsync(visit.PathOf("sign-in"));
    }

    private static IEnumerable<KeyValuePair<string, string>> Carried(Visit visit)
    {
        foreach (var name in new[] { "id_token_hint", "client_id", "post_logout_redirect_uri", "state" })
        {
            if (visit.Query(name) is { Length: > 0 } value)
            {
                yield return new(name, value);
            }
        }
    }
}
