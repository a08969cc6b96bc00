using System.Collections.Immutable;
using System.Security.Claims;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Clients;
using Authorization.Consents;
using Authorization.Endpoints;
using Authorization.Launch;
using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using Authorization.Tokens;
using FhirCore;
using FhirCore.Auditing;
using FhirStore.Sealed;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Pages;

/// <summary>
/// <c>/auth/authorize</c>: OpenIddict has checked client, redirect address and challenge; here the user signs in, a patient is found, and
/// consent is asked for. Nothing is kept between the steps: each form carries the request on, and all of it is checked again.
/// </summary>
internal sealed class AuthorizePages(
    PageHost host, PublicAddresses addresses, SealedRecords<OAuthApplication> applications, ApplicationIndex index, Launches launches, ConsentMemory memory,
    IPatientDirectory patients, IOptions<AuthOptions> options, TimeProvider clock)
{
    public const string Path = "authorize";
    private const int MostFound = 20;

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapMethods($"{PublicAddresses.LocalPath}/{Path}", [HttpMethods.Get, HttpMethods.Post], async context => await AnswerAsync(await host.OpenAsync(context)));

    private async Task AnswerAsync(Visit visit)
    {
        visit.EndsAtApps = true;
        if (visit.Http.GetOpenIddictServerResponse() is { Error: not null } refused)
        {
            if (await AppOfAsync(visit) is { } app)
            {
                TellApp(visit, app, refused);
                return;
            }
            // Client or redirect address are wrong: nobody but the user can be told.
            await visit.ShowAsync<AppFault>(StatusCodes.Status400BadRequest, (nameof(AppFault.Reason), refused.ErrorDescription ?? refused.Error));
            return;
        }
        var request = new AuthorizeRequest(visit.Http.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("OpenIddict answers this address."));
        if (request.Check(addresses) is { } wrong)
        {
            await RefuseAsync(visit, Errors.InvalidRequest, wrong);
            return;
        }
        var ours = HttpMethods.IsPost(visit.Http.Request.Method) && host.IsOurForm(visit);
        if (HttpMethods.IsPost(visit.Http.Request.Method) && !ours)
        {
            // Browsers keep our session's cookie back from another site's form, but not from the GET that it leads to.
            await visit.GoToAsync(visit.PathOf(Path) + request.Query());
            return;
        }
        if (visit.SignedIn is not { } user || (!ours && request.NeedsSignIn(user.At, clock.GetUtcNow())))
        {
            await (request.MayNotAsk
                ? RefuseAsync(visit, Errors.LoginRequired, "Nobody is signed in.")
                : visit.GoToAsync($"{visit.PathOf("sign-in")}?return={Uri.EscapeDataString(visit.PathOf(Path) + request.QueryAfterSignIn())}"));
            return;
        }
        if (user.Account.Status != AccountStatus.Active)
        {
            await visit.TellAsync("authorize-pending", StatusCodes.Status403Forbidden, visit.PathOf("account"));
            return;
        }
        var client = (await applications.FirstAsync(index.ClientId(request.ClientId), visit.Aborted))?.Value
            ?? throw new InvalidOperationException("OpenIddict has found the client.");
        await GrantAsync(new(visit, request, user, client, ours ? visit.Field("decision") : ""));
    }

    /// <summary>OpenIddict looks at some parameters before it has found the client, and would tell the user what the app should be told.</summary>
    /// <returns>The redirect address; null unless it is the client's.</returns>
    private async Task<string?> AppOfAsync(Visit visit) =>
        visit.Http.GetOpenIddictServerRequest() is { ClientId: { Length: > 0 } clientId, RedirectUri: { Length: > 0 } redirect }
        && (await applications.FirstAsync(index.ClientId(clientId), visit.Aborted))?.Value is { } client && ClientSettings.IsApproved(client)
        && client.RedirectUris?.Contains(redirect, StringComparer.Ordinal) is true
            ? redirect : null;

    private void TellApp(Visit visit, string redirect, OpenIddictResponse refused)
    {
        var query = QueryString.Create(new Dictionary<string, string?>
        {
            ["error"] = refused.Error,
            ["error_description"] = refused.ErrorDescription,
            ["state"] = visit.Http.GetOpenIddictServerRequest()?.State,
            ["iss"] = addresses.Issuer,
        }).Value!;
        PageHeaders.Set(visit.Http.Response, visit.EndsAtApps);
        visit.Http.Response.StatusCode = StatusCodes.Status302Found;
        visit.Http.Response.Headers.Location = redirect.Contains('?', StringComparison.Ordinal) ? $"{redirect}&{query[1..]}" : redirect + query;
    }

    private async Task GrantAsync(Step step)
    {
        if (step.Decision == "deny")
        {
            await step.Visit.KeepAsync(SecurityEventKind.Consent, "denied", succeeded: false, clientId: step.Request.ClientId);
            await RefuseAsync(step.Visit, Errors.AccessDenied, "The user has not allowed it.");
            return;
        }
        SmartLaunch? launched = null;
        if (step.Request.Launch is { } ticket && (launched = await launches.FindAsync(ticket, step.Request.ClientId, step.User.AccountId, step.Visit.Aborted)) is null)
        {
            await RefuseAsync(step.Visit, Errors.InvalidRequest, "The parameter 'launch' is unknown, has been used, is over, or belongs to another app or user.");
            return;
        }
        var offer = OfferOf(step, launched is not null);
        if (offer.IsEmpty)
        {
            await RefuseAsync(step.Visit, Errors.InvalidScope, "None of the requested scopes can be granted to this app: ask for those it is registered with.");
            return;
        }
        var isPatient = TokenStanding.FhirUserOf(step.User.Account) is { Type: "Patient" };
        var own = isPatient ? TokenStanding.FhirUserOf(step.User.Account)!.Value.Id : null;
        var patientId = launched?.Patient ?? own;
        if (own is not null && patientId != own)
        {
            await RefuseAsync(step.Visit, Errors.AccessDenied, "The app was launched for another patient.");
            return;
        }
        PatientSummary? patient = null;
        if (offer.ForPatient || launched?.Patient is not null)
        {
            patientId ??= step.Visit.Field("patient") is { Length: > 0 } chosen && FhirIds.IsValid(chosen) ? chosen : null;
            patient = patientId is null ? null : await patients.FindAsync(GrantOf(step), patientId, step.Visit.Aborted);
            if (patient is null && (patientId is not null || !MayChoose(step.User.Account)))
            {
                await RefuseAsync(step.Visit, Errors.AccessDenied, "There is no patient whose data the user could share.");
                return;
            }
            if (patient is null)
            {
                await ChooseAsync(step);
                return;
            }
        }
        await ConsentAsync(step, offer, launched, patient, own is not null);
    }

    private async Task ConsentAsync(Step step, ConsentOffer offer, SmartLaunch? launched, PatientSummary? patient, bool isOwn)
    {
        var granted = step.Decision == "allow"
            ? ConsentChoice.Choose(offer, name => step.Visit.Form.ContainsKey(name))
            : step.Request.AsksForConsent || !CanBeRemembered(step.Client) ? null
            : await memory.RecallAsync(step.User.AccountId, step.Client.Id, offer, step.Visit.Aborted);
        if (granted is null && step.Request.MayNotAsk)
        {
            await RefuseAsync(step.Visit, Errors.ConsentRequired, "The user has not been asked yet.");
            return;
        }
        if (granted is null)
        {
            await step.Visit.ShowAsync<ConsentPage>(StatusCodes.Status200OK,
                (nameof(ConsentPage.AppName), NameOf(step.Client)), (nameof(ConsentPage.Host), HostOf(step.Visit)), (nameof(ConsentPage.Offer), offer),
                (nameof(ConsentPage.Carried), step.Request.Carried().ToArray()), (nameof(ConsentPage.Patient), patient), (nameof(ConsentPage.IsOwn), isOwn),
                (nameof(ConsentPage.Days), Math.Max(1, (int)options.Value.RefreshTokenLifetime.TotalDays)));
            return;
        }
        if (step.Decision == "allow" && CanBeRemembered(step.Client))
        {
            await memory.RememberAsync(step.User.AccountId, step.Client.Id, offer, granted, step.Visit.Aborted);
        }
        if (step.Decision == "allow")
        {
            await step.Visit.KeepAsync(SecurityEventKind.Consent, "allowed", clientId: step.Request.ClientId);
        }
        if (granted.IsEmpty || (granted.Resources.IsEmpty && !granted.SignIn.Any(ConsentOffer.Asked.Contains)))
        {
            await RefuseAsync(step.Visit, Errors.AccessDenied, "The user has not allowed any of it.");
            return;
        }
        if (step.Request.Launch is { } ticket && !await launches.TryUseAsync(ticket, step.Visit.Aborted))
        {
            await RefuseAsync(step.Visit, Errors.InvalidRequest, "The parameter 'launch' has been used.");
            return;
        }
        var context = (launched ?? new()) with { Patient = patient?.Id };
        await step.Visit.Http.SignInAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme, PrincipalOf(step.User, granted, context));
    }

    private async Task ChooseAsync(Step step)
    {
        if (step.Request.MayNotAsk)
        {
            await RefuseAsync(step.Visit, Errors.InteractionRequired, "The user has to choose a patient.");
            return;
        }
        var query = new PatientQuery(step.Visit.Field("find-name"), step.Visit.Field("find-identifier"), step.Visit.Field("find-birthdate"));
        var found = step.Decision == "find" && !query.IsEmpty ? await patients.SearchAsync(GrantOf(step), query, MostFound, step.Visit.Aborted) : null;
        await step.Visit.ShowAsync<ChoosePatient>(StatusCodes.Status200OK,
            (nameof(ChoosePatient.AppName), NameOf(step.Client)), (nameof(ChoosePatient.Carried), step.Request.Carried().ToArray()),
            (nameof(ChoosePatient.Query), query), (nameof(ChoosePatient.Found), found));
    }

    private static ConsentOffer OfferOf(Step step, bool launched)
    {
        var registered = ClientSettings.ScopesOf(step.Client);
        var asked = (step.Request.Scope ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var resources = SmartScopes.Negotiate(step.Request.Scope, registered.Resources, ScopeLevel.Patient, ScopeLevel.User);
        var signIn = registered.SignIn.Where(scope => asked.Contains(scope, StringComparer.Ordinal) && (launched || scope != SignInScopes.Launch)).ToImmutableArray();
        return new(resources, signIn.Contains(SignInScopes.OpenId) ? signIn : signIn.Remove(SignInScopes.FhirUser));
    }

    private ClaimsPrincipal PrincipalOf(SignedIn user, ConsentOffer granted, SmartLaunch launch)
    {
        var identity = new ClaimsIdentity(TokenValidationParameters.DefaultAuthenticationType, Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, user.AccountId);
        identity.SetClaim(Claims.AuthenticationTime, user.At.ToUnixTimeSeconds());
        identity.SetClaim(SmartClaims.Session, user.SessionId);
        identity.SetClaim(SmartClaims.Granted, string.Join(' ', granted.Texts));
        identity.SetClaim(SmartClaims.Patient, launch.Patient);
        identity.SetClaim(SmartClaims.Encounter, launch.Encounter);
        identity.SetClaim(SmartClaims.FhirUser, TokenStanding.FhirUserOf(user.Account) is { } fhirUser ? $"{addresses.FhirBase}/{fhirUser}" : null);
        identity.SetScopes(granted.Texts);
        identity.SetResources(addresses.FhirBase);
        var principal = new ClaimsPrincipal(identity) { Launch = launch };
        principal.SetDestinations(ContinueGrant.DestinationsOf);
        return principal;
    }

    /// <summary>The user's own rights, for looking at patients with: nothing the app could not be given.</summary>
    private static Grant GrantOf(Step step) => new(
        step.Request.ClientId, [new SmartScope(ScopeLevel.User, "Patient", Scopes.Permissions.Read | Scopes.Permissions.Search)],
        new(step.User.AccountId, TokenStanding.FhirUserOf(step.User.Account), [.. step.User.Account.Roles]));

    private static bool MayChoose(Account account) => account.Roles.Any(static held => held.Role is not Role.Patient);

    // Whoever answers at an app's own scheme cannot be told from another app that has taken it: RFC 8252 section 8.6.
    private static bool CanBeRemembered(OAuthApplication client) =>
        ClientSettings.AuthenticationOf(client) != ClientAuthentication.None
        || client.RedirectUris?.All(static uri => uri.StartsWith("https:", StringComparison.Ordinal) || new Uri(uri).IsLoopback) is true;

    private static string NameOf(OAuthApplication client) => client.DisplayName ?? client.ClientId!;

    private static string HostOf(Visit visit) =>
        visit.Http.GetOpenIddictServerRequest()?.RedirectUri is { } uri ? new Uri(uri).GetLeftPart(UriPartial.Authority) : "";

    /// <summary>Sends the browser back to the app, which is told why.</summary>
    private static Task RefuseAsync(Visit visit, string error, string why) => visit.Http.ForbidAsync(
        OpenIddictServerAspNetCoreDefaults.AuthenticationScheme,
        new(new Dictionary<string, string?>
        {
            [OpenIddictServerAspNetCoreConstants.Properties.Error] = error,
            [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = why,
        }));

    /// <param name="Decision">What the user has answered to a form of ours; empty before that.</param>
    private sealed record Step(Visit Visit, AuthorizeRequest Request, SignedIn User, OAuthApplication Client, string Decision);
}
