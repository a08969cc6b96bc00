using System.Security.Claims;
using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>Answers an authenticated client's token request for itself: what it may have of what it asked for.</summary>
internal sealed class GrantScopes(OpenIddictApplicationManager<OAuthApplication> applications, PublicAddresses addresses)
    : IOpenIddictServerHandler<HandleTokenRequestContext>
{
    public async ValueTask HandleAsync(HandleTokenRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!context.Request.IsClientCredentialsGrantType())
        {
            return;
        }
        var clientId = context.ClientId ?? throw new InvalidOperationException("OpenIddict has authenticated the client.");
        var application = await applications.FindByClientIdAsync(clientId, context.CancellationToken)
            ?? throw new InvalidOperationException("OpenIddict has found the client.");
        var granted = SmartScopes.Negotiate(context.Request.Scope, ClientSettings.ScopesOf(application).Resources);
        if (granted.IsEmpty)
        {
            context.Reject(Errors.InvalidScope, "None of the requested scopes can be granted to this client: ask for system/ scopes that it is registered with.");
            return;
        }
        var identity = new ClaimsIdentity(TokenValidationParameters.DefaultAuthenticationType, Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, clientId);
        identity.SetScopes(granted.Select(scope => scope.ToString()));
        identity.SetResources(addresses.FhirBase);
        context.SignIn(new ClaimsPrincipal(identity));
    }
}
