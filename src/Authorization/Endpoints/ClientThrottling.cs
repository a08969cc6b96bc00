using System.Globalization;
using System.Net;
using Authorization.Clients;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Http;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>Turns a client away that has failed too often, before any secret is hashed or key fetched: at every endpoint where it can prove who it is.</summary>
internal sealed class ThrottleClients(LoginThrottle throttle)
    : IOpenIddictServerHandler<ValidateTokenRequestContext>, IOpenIddictServerHandler<ValidateIntrospectionRequestContext>, IOpenIddictServerHandler<ValidateRevocationRequestContext>
{
    internal const string SlowDown = "slow_down";

    public ValueTask HandleAsync(ValidateTokenRequestContext context) => HandleAsync((BaseValidatingContext)context);

    public ValueTask HandleAsync(ValidateIntrospectionRequestContext context) => HandleAsync((BaseValidatingContext)context);

    public ValueTask HandleAsync(ValidateRevocationRequestContext context) => HandleAsync((BaseValidatingContext)context);

    private async ValueTask HandleAsync(BaseValidatingContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = context.Transaction.Request!;
        request.ClientId ??= ClientAssertions.ClaimedIssuer(request.ClientAssertion);
        if (request.ClientId is { } clientId && await throttle.WaitForAsync(clientId, ClientAddress.Of(context.Transaction), ClientAddress.Aborted(context.Transaction)) is not null)
        {
            context.Reject(SlowDown, "Too many failed attempts of this client: wait for the time that Retry-After tells.");
        }
    }
}

/// <summary>Counts what came of the attempt, and makes sure that a refusal does not tell whether a client exists.</summary>
internal sealed class FinishResponse(LoginThrottle throttle)
    : IOpenIddictServerHandler<ApplyTokenResponseContext>, IOpenIddictServerHandler<ApplyIntrospectionResponseContext>, IOpenIddictServerHandler<ApplyRevocationResponseContext>
{
    public ValueTask HandleAsync(ApplyTokenResponseContext context) => HandleAsync((BaseContext)context);

    public ValueTask HandleAsync(ApplyIntrospectionResponseContext context) => HandleAsync((BaseContext)context);

    public ValueTask HandleAsync(ApplyRevocationResponseContext context) => HandleAsync((BaseContext)context);

    private async ValueTask HandleAsync(BaseContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var response = context.Transaction.Response!;
        response.ErrorUri = null;
        if (response.Error == Errors.InvalidClient)
        {
            response.ErrorDescription = "The client is not registered, or its credentials are wrong.";
        }
        if (context.Transaction.Request?.ClientId is not { } clientId)
        {
            return;
        }
        var address = ClientAddress.Of(context.Transaction);
        switch (response.Error)
        {
            case null when HasProved(context.Transaction.Request):
                await throttle.SucceededAsync(clientId, address, CancellationToken.None);
                break;
            case Errors.InvalidClient:
                await throttle.FailedAsync(clientId, address, CancellationToken.None); // counted also where the client does not wait for the answer
                break;
        }
    }

    private static bool HasProved(OpenIddictRequest request) => request.ClientSecret is not null || request.ClientAssertion is not null;
}

/// <summary>Errors that go back to an app lead nobody to OpenIddict's documentation.</summary>
internal sealed class DropErrorUri : IOpenIddictServerHandler<ApplyAuthorizationResponseContext>
{
    public ValueTask HandleAsync(ApplyAuthorizationResponseContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.ErrorUri = null;
        return default;
    }
}

/// <summary>SMART wants the redirect address in every request; OpenIddict takes the only one a client has for one left out.</summary>
internal sealed class RequireRedirectUri : IOpenIddictServerHandler<ValidateAuthorizationRequestContext>
{
    public ValueTask HandleAsync(ValidateAuthorizationRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (string.IsNullOrEmpty(context.Request.RedirectUri))
        {
            context.Reject(Errors.InvalidRequest, "The parameter 'redirect_uri' is missing.");
        }
        return default;
    }
}

/// <summary>OpenIddict knows no status for a throttled client: 429 and when to come back.</summary>
internal sealed class SendTooManyRequests(LoginThrottle throttle)
    : IOpenIddictServerHandler<ApplyTokenResponseContext>, IOpenIddictServerHandler<ApplyIntrospectionResponseContext>, IOpenIddictServerHandler<ApplyRevocationResponseContext>
{
    public ValueTask HandleAsync(ApplyTokenResponseContext context) => HandleAsync((BaseContext)context);

    public ValueTask HandleAsync(ApplyIntrospectionResponseContext context) => HandleAsync((BaseContext)context);

    public ValueTask HandleAsync(ApplyRevocationResponseContext context) => HandleAsync((BaseContext)context);

    private async ValueTask HandleAsync(BaseContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Transaction.Response?.Error == ThrottleClients.SlowDown && context.Transaction.GetHttpRequest()?.HttpContext.Response is { } response)
        {
            var wait = await throttle.WaitForAsync(context.Transaction.Request!.ClientId!, ClientAddress.Of(context.Transaction), ClientAddress.Aborted(context.Transaction)) ?? TimeSpan.Zero;
            response.StatusCode = StatusCodes.Status429TooManyRequests;
            response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
    }
}

internal static class ClientAddress
{
    public static string? Of(OpenIddictServerTransaction transaction) =>
        transaction.GetHttpRequest()?.HttpContext.Connection.RemoteIpAddress?.ToString();

    public static IPAddress? IpOf(OpenIddictServerTransaction transaction) => transaction.GetHttpRequest()?.HttpContext.Connection.RemoteIpAddress;

    public static CancellationToken Aborted(OpenIddictServerTransaction transaction) =>
        transaction.GetHttpRequest()?.HttpContext.RequestAborted ?? CancellationToken.None;
}
