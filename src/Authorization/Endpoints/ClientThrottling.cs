using System.Globalization;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Http;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>Turns a client away that has failed too often, before any secret is hashed.</summary>
internal sealed class ThrottleClients(LoginThrottle throttle) : IOpenIddictServerHandler<ValidateTokenRequestContext>
{
    internal const string SlowDown = "slow_down";

    public async ValueTask HandleAsync(ValidateTokenRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.ClientId is { } clientId && await throttle.WaitForAsync(clientId, ClientAddress.Of(context.Transaction), ClientAddress.Aborted(context.Transaction)) is not null)
        {
            context.Reject(SlowDown, "Too many failed attempts of this client: wait for the time that Retry-After tells.");
        }
    }
}

/// <summary>Counts what came of the attempt, and makes sure that a refusal does not tell whether a client exists.</summary>
internal sealed class FinishTokenResponse(LoginThrottle throttle) : IOpenIddictServerHandler<ApplyTokenResponseContext>
{
    public async ValueTask HandleAsync(ApplyTokenResponseContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.ErrorUri = null;
        if (context.Request?.ClientId is not { } clientId)
        {
            return;
        }
        var address = ClientAddress.Of(context.Transaction);
        switch (context.Error)
        {
            case null:
                await throttle.SucceededAsync(clientId, address, CancellationToken.None);
                break;
            case Errors.InvalidClient:
                await throttle.FailedAsync(clientId, address, CancellationToken.None); // counted also where the client does not wait for the answer
                context.Response.ErrorDescription = "The client is not registered, or its credentials are wrong.";
                break;
        }
    }
}

/// <summary>OpenIddict knows no status for a throttled client: 429 and when to come back.</summary>
internal sealed class SendTooManyRequests(LoginThrottle throttle) : IOpenIddictServerHandler<ApplyTokenResponseContext>
{
    public async ValueTask HandleAsync(ApplyTokenResponseContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Error == ThrottleClients.SlowDown && context.Transaction.GetHttpRequest()?.HttpContext.Response is { } response)
        {
            var wait = await throttle.WaitForAsync(context.Request!.ClientId!, ClientAddress.Of(context.Transaction), ClientAddress.Aborted(context.Transaction)) ?? TimeSpan.Zero;
            response.StatusCode = StatusCodes.Status429TooManyRequests;
            response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
    }
}

internal static class ClientAddress
{
    public static string? Of(OpenIddictServerTransaction transaction) =>
        transaction.GetHttpRequest()?.HttpContext.Connection.RemoteIpAddress?.ToString();

    public static CancellationToken Aborted(OpenIddictServerTransaction transaction) =>
        transaction.GetHttpRequest()?.HttpContext.RequestAborted ?? CancellationToken.None;
}
