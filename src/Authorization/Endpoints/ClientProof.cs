using System.Security.Claims;
using Authorization.Clients;
using Authorization.Stores;
using FhirStore.Sealed;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>
/// Checks a client's assertion in OpenIddict's place: its own check knows neither key sets by address nor replays, and takes what SMART
/// has refused (no <c>jti</c>, an end far away, an audience whose host is another).
/// </summary>
internal sealed class CheckClientAssertion(ClientAssertions assertions) : IOpenIddictServerHandler<ProcessAuthenticationContext>
{
    private const string WhatItIs = "client-assertion";

    public async ValueTask HandleAsync(ProcessAuthenticationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.ClientAssertion is not { Length: > 0 } assertion)
        {
            return;
        }
        var proved = context.ClientAssertionType == ClientAssertionTypes.JwtBearer
            ? await assertions.AuthenticateAsync(assertion, context.ClientId, ClientAddress.Aborted(context.Transaction))
            : null;
        if (proved is null)
        {
            context.Reject(Errors.InvalidClient);
            return;
        }
        context.Request.ClientId = proved.ClientId;
        context.ClientAssertionPrincipal = new(new ClaimsIdentity([new(Claims.Issuer, proved.ClientId!), new(Claims.Subject, proved.ClientId!)], WhatItIs));
    }
}

/// <summary>A client proves who it is in the way it is registered for and in no other, and not before it has been approved.</summary>
internal sealed class HoldToRegistration(SealedRecords<OAuthApplication> applications, ApplicationIndex index) : IOpenIddictServerHandler<ProcessAuthenticationContext>
{
    public async ValueTask HandleAsync(ProcessAuthenticationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (string.IsNullOrEmpty(context.ClientId)
            || (await applications.FirstAsync(index.ClientId(context.ClientId), ClientAddress.Aborted(context.Transaction)))?.Value is not { } application)
        {
            return; // OpenIddict's own handlers say what that means at this endpoint
        }
        var method = ClientSettings.AuthenticationOf(application);
        if (!ClientSettings.IsApproved(application)
            || (!string.IsNullOrEmpty(context.ClientSecret) && method != ClientAuthentication.Secret)
            || (context.ClientAssertionPrincipal is not null && method != ClientAuthentication.Keys))
        {
            context.Reject(context.EndpointType is OpenIddictServerEndpointType.Authorization ? Errors.UnauthorizedClient : Errors.InvalidClient);
        }
    }
}
