using System.Security.Claims;
using Authorization.Accounts;
using Authorization.Scopes;
using Authorization.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>A code or a refresh token becomes an access token, if the person it speaks for may still sign in.</summary>
internal sealed class ContinueGrant(AccountDirectory accounts, OnlineAccess online, IOpenIddictTokenManager tokens) : IOpenIddictServerHandler<HandleTokenRequestContext>
{
    public async ValueTask HandleAsync(HandleTokenRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!context.Request.IsAuthorizationCodeGrantType() && !context.Request.IsRefreshTokenGrantType())
        {
            return;
        }
        var known = context.Principal ?? throw new InvalidOperationException("OpenIddict has opened the code or the refresh token.");
        var ct = ClientAddress.Aborted(context.Transaction);
        if (await accounts.FindAsync(known.GetClaim(Claims.Subject) ?? "", ct) is not { Value.Status: AccountStatus.Active })
        {
            context.Reject(Errors.InvalidGrant, "The account cannot be used any more.");
            return;
        }
        var granted = (known.GetClaim(SmartClaims.Granted) ?? "").Split(' ');
        if (granted.Contains(SignInScopes.OnlineAccess) && !granted.Contains(SignInScopes.OfflineAccess)
            && !await online.IsThereAsync(known.GetClaim(SmartClaims.Session), ct))
        {
            context.Reject(Errors.InvalidGrant, "The user's session is over.");
            return;
        }
        var identity = ((ClaimsIdentity)known.Identity!).Clone();
        var principal = new ClaimsPrincipal(identity);
        if (context.Request.IsRefreshTokenGrantType() && !string.IsNullOrWhiteSpace(context.Request.Scope))
        {
            if (Narrow(granted, context.Request.Scope) is not { } narrower)
            {
                context.Reject(Errors.InvalidScope, "A refresh can ask for what was granted or for less, not for more.");
                return;
            }
            principal.SetScopes(narrower);
        }
        else
        {
            principal.SetScopes(granted);
        }
        if (!await TryRedeemAsync(known, ct))
        {
            context.Reject(Errors.InvalidGrant, "The code or refresh token has been used.");
            return;
        }
        principal.SetDestinations(DestinationsOf);
        context.SignIn(principal);
    }

    /// <summary>
    /// Of several that bring the same code or refresh token at once, one gets it, by the version of its record; the others are taken for
    /// thieves, and the grant ends. OpenIddict looks before it redeems, and lets all through that looked in time.
    /// </summary>
    private async ValueTask<bool> TryRedeemAsync(ClaimsPrincipal known, CancellationToken ct)
    {
        if (known.GetTokenId() is not { } id || await tokens.FindByIdAsync(id, ct) is not { } token)
        {
            return false;
        }
        if (await tokens.HasStatusAsync(token, Statuses.Valid, ct) && await tokens.TryRedeemAsync(token, ct))
        {
            return true;
        }
        if (known.GetAuthorizationId() is { } grant)
        {
            await tokens.RevokeByAuthorizationIdAsync(grant, ct);
        }
        return false;
    }

    internal static IEnumerable<string> DestinationsOf(Claim claim) => claim.Type switch
    {
        Claims.Subject => [Destinations.AccessToken, Destinations.IdentityToken],
        SmartClaims.Patient or SmartClaims.Encounter => [Destinations.AccessToken],
        SmartClaims.Context when new ClaimsPrincipal(claim.Subject!).Launch is not { FhirContext: null, Intent: null, NeedPatientBanner: null } => [Destinations.AccessToken],
        SmartClaims.FhirUser when claim.Subject!.HasScope(SignInScopes.FhirUser) && claim.Subject!.HasScope(SignInScopes.OpenId) => [Destinations.IdentityToken],
        Claims.AuthenticationTime => [Destinations.IdentityToken],
        _ => [],
    };

    /// <returns>Null where more is asked for than was granted.</returns>
    internal static List<string>? Narrow(IReadOnlyCollection<string> granted, string asked)
    {
        var rights = SmartScopes.Parse(string.Join(' ', granted));
        var result = new List<string>();
        foreach (var part in asked.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal))
        {
            // What was granted under one name may be asked for under the same name, or as a part of it.
            var covered = granted.Contains(part, StringComparer.Ordinal)
                || (SmartScope.TryParse(part, out var scope) && SmartScopes.Negotiate(part, rights, scope.Level) is [var whole] && whole == scope);
            if (!covered)
            {
                return null;
            }
            result.Add(part);
        }
        return result;
    }
}

/// <summary><c>online_access</c> brings a refresh token too, and a refresh for less brings another one; OpenIddict looks for <c>offline_access</c> in the request only.</summary>
internal sealed class RefreshOnline : IOpenIddictServerHandler<ProcessSignInContext>
{
    public ValueTask HandleAsync(ProcessSignInContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // What was granted counts, not what this refresh has asked for.
        if (context.EndpointType == OpenIddictServerEndpointType.Token
            && context.Principal?.GetClaim(SmartClaims.Granted)?.Split(' ') is { } granted
            && (granted.Contains(SignInScopes.OnlineAccess) || granted.Contains(SignInScopes.OfflineAccess)))
        {
            context.GenerateRefreshToken = context.IncludeRefreshToken = true;
        }
        return default;
    }
}

/// <summary>A refresh for less leaves the refresh token what it was, RFC 6749 section 6.</summary>
internal sealed class KeepWhatWasGranted : IOpenIddictServerHandler<ProcessSignInContext>
{
    public ValueTask HandleAsync(ProcessSignInContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.RefreshTokenPrincipal is { } principal && principal.GetClaim(SmartClaims.Granted) is { } granted)
        {
            principal.SetScopes(granted.Split(' '));
        }
        return default;
    }
}

/// <summary>
/// A public client need not name itself when it refreshes (RFC 6749 section 6 does not ask for it, and fhirclient does not by default):
/// the refresh token says whose it is. It proves nothing about who sent it, so this holds for public clients only.
/// </summary>
internal sealed class NameRefreshingClient(IOpenIddictTokenManager tokens, IOpenIddictApplicationManager applications) : IOpenIddictServerHandler<ValidateTokenRequestContext>
{
    public async ValueTask HandleAsync(ValidateTokenRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!context.Request.IsRefreshTokenGrantType() || !string.IsNullOrEmpty(context.Request.ClientId) || string.IsNullOrEmpty(context.Request.RefreshToken))
        {
            return;
        }
        var ct = ClientAddress.Aborted(context.Transaction);
        if (await tokens.FindByReferenceIdAsync(context.Request.RefreshToken, ct) is { } token
            && await tokens.GetApplicationIdAsync(token, ct) is { } id && await applications.FindByIdAsync(id, ct) is { } application
            && await applications.HasClientTypeAsync(application, ClientTypes.Public, ct))
        {
            context.Request.ClientId = await applications.GetClientIdAsync(application, ct);
        }
    }
}
