using System.Security.Claims;
using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Core;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;
using OpenIddict.Abstractions;

namespace Authorization.Endpoints;

/// <summary>Answers an authenticated client's token request: what it may have of what it asked for.</summary>
internal sealed class GrantScopes(OpenIddictApplicationManager<OAuthApplication> applications, PublicAddresses addresses)
    : IOpenIddictServerHandler<HandleTokenRequestContext>
{
    public async ValueTask HandleAsync(HandleTokenRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var clientId = context.ClientId ?? throw new InvalidOperationException("OpenIddict has authenticated the client.");
        var application = await applications.FindByClientIdAsync(clientId, context.CancellationToken)
            ?? throw new InvalidOperationException("OpenIddict has found the client.");
        var granted = SmartScopes.Negotiate(context.Request.Scope, ClientRegistry.ScopesOf(application));
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

/// <summary>SMART wants the granted scopes in every token response; OAuth only where they differ from the request.</summary>
internal sealed class AlwaysTellScopes : IOpenIddictServerHandler<ProcessSignInContext>
{
    public ValueTask HandleAsync(ProcessSignInContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.EndpointType == OpenIddictServerEndpointType.Token && context.Principal is { } principal)
        {
            context.Response.Scope = string.Join(' ', principal.GetScopes());
        }
        return default;
    }
}

/// <summary>Turns a client away that has failed too often, before any secret is hashed.</summary>
internal sealed class ThrottleClients(LoginThrottle throttle) : IOpenIddictServerHandler<ValidateTokenRequestContext>
{
    internal const string SlowDown = "slow_down";

    public ValueTask HandleAsync(ValidateTokenRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.ClientId is { } clientId && throttle.WaitFor(clientId, ClientAddress.Of(context.Transaction)) is not null)
        {
            context.Reject(SlowDown, "Too many failed attempts of this client: wait for the time that Retry-After tells.");
        }
        return default;
    }
}

/// <summary>Counts what came of the attempt, and makes sure that a refusal does not tell whether a client exists.</summary>
internal sealed class FinishTokenResponse(LoginThrottle throttle) : IOpenIddictServerHandler<ApplyTokenResponseContext>
{
    public ValueTask HandleAsync(ApplyTokenResponseContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.ErrorUri = null;
        if (context.Request?.ClientId is not { } clientId)
        {
            return default;
        }
        var address = ClientAddress.Of(context.Transaction);
        switch (context.Error)
        {
            case null:
                throttle.Succeeded(clientId, address);
                break;
            case Errors.InvalidClient:
                throttle.Failed(clientId, address);
                context.Response.ErrorDescription = "The client is not registered, or its credentials are wrong.";
                break;
        }
        return default;
    }
}

/// <summary>OpenIddict knows no status for a throttled client: 429 and when to come back.</summary>
internal sealed class SendTooManyRequests(LoginThrottle throttle) : IOpenIddictServerHandler<ApplyTokenResponseContext>
{
    public ValueTask HandleAsync(ApplyTokenResponseContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Error == ThrottleClients.SlowDown && context.Transaction.GetHttpRequest()?.HttpContext.Response is { } response)
        {
            var wait = throttle.WaitFor(context.Request!.ClientId!, ClientAddress.Of(context.Transaction)) ?? TimeSpan.Zero;
            response.StatusCode = StatusCodes.Status429TooManyRequests;
            response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        return default;
    }
}

internal static class ClientAddress
{
    public static string? Of(OpenIddictServerTransaction transaction) =>
        transaction.GetHttpRequest()?.HttpContext.Connection.RemoteIpAddress?.ToString();
}
